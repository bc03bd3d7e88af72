package interop;

import java.io.PrintStream;
import java.util.Collection;
import java.util.Map;

/** One JSON object on one line of stdout. Written by hand so that the output does not depend on the client's JSON library. */
final class Line {
    /** The real one, also while mqadmin's output is being caught. */
    private static final PrintStream OUT = System.out;

    private final StringBuilder text = new StringBuilder("{");

    Line put(String name, Object value) {
        if (text.length() > 1) text.append(',');
        append(name);
        text.append(':');
        append(value);
        return this;
    }

    void print() {
        String line = text + "}\n";
        synchronized (OUT) {
            OUT.print(line);
            OUT.flush();
        }
    }

    private void append(Object value) {
        if (value == null || value instanceof Number || value instanceof Boolean) {
            text.append(value);
        } else if (value instanceof Map) {
            char before = '{';
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                text.append(before);
                append(String.valueOf(entry.getKey()));
                text.append(':');
                append(entry.getValue());
                before = ',';
            }
            text.append(before == '{' ? "{}" : "}");
        } else if (value instanceof Collection) {
            char before = '[';
            for (Object element : (Collection<?>) value) {
                text.append(before);
                append(element);
                before = ',';
            }
            text.append(before == '[' ? "[]" : "]");
        } else {
            appendText(value.toString());
        }
    }

    private void appendText(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') text.append('\\').append(c);
            else if (c < 0x20 || c > 0x7e) text.append(String.format("\\u%04x", (int) c));
            else text.append(c);
        }
        text.append('"');
    }
}
