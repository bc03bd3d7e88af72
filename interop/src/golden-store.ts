export async function recordStore(_d: string, _t: string): Promise<readonly object[]> { return []; }
