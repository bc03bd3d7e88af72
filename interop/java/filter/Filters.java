import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import org.apache.rocketmq.filter.expression.BooleanExpression;
import org.apache.rocketmq.filter.expression.EvaluationContext;
import org.apache.rocketmq.filter.parser.SelectorParser;

/**
 * Says what RocketMQ's own filter module makes of SQL92 expressions. A line of stdin is an expression and, after tabs,
 * sets of properties `name:value,...`, expressions and values in base64; a line of stdout is `illegal`, or for each
 * set `true`, `false`, `null` or `fails`.
 */
public final class Filters {
    private Filters() {
    }

    public static void main(String[] argv) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(System.out, false);
        for (String line = in.readLine(); line != null; line = in.readLine()) out.println(answer(line.split("\t", -1)));
        out.flush();
    }

    private static String answer(String[] words) {
        BooleanExpression expression;
        try {
            expression = SelectorParser.parse(decoded(words[0]));
        } catch (Throwable illegal) {
            return "illegal";
        }
        StringBuilder answer = new StringBuilder();
        for (int i = 1; i < words.length; i++) answer.append(i == 1 ? "" : " ").append(value(expression, words[i]));
        return answer.toString();
    }

    private static String value(BooleanExpression expression, String word) {
        Map<String, Object> properties = new HashMap<>();
        for (String entry : word.split(",")) {
            int colon = entry.indexOf(':');
            if (colon > 0) properties.put(entry.substring(0, colon), decoded(entry.substring(colon + 1)));
        }
        try {
            return String.valueOf(expression.evaluate(new EvaluationContext() {
                @Override
                public Object get(String name) {
                    return properties.get(name);
                }

                @Override
                public Map<String, Object> keyValues() {
                    return properties;
                }
            }));
        } catch (Throwable failure) {
            return "fails";
        }
    }

    private static String decoded(String base64) {
        return new String(Base64.getDecoder().decode(base64), StandardCharsets.UTF_8);
    }
}
