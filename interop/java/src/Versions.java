package interop;

import java.lang.reflect.Method;

/** What was moved to another package between 4.9 and 5.x, reached by reflection so that one source compiles against both. */
final class Versions {
    private Versions() {
    }

    /** consumer.setMessageModel(CLUSTERING | BROADCASTING) */
    static void setModel(Object consumer, String model) throws Exception {
        for (Method method : consumer.getClass().getMethods()) {
            if (!method.getName().equals("setMessageModel")) continue;
            for (Object constant : method.getParameterTypes()[0].getEnumConstants()) {
                if (((Enum<?>) constant).name().equalsIgnoreCase(model)) {
                    method.invoke(consumer, constant);
                    return;
                }
            }
        }
        throw new IllegalArgumentException("--model clustering|broadcasting, not " + model);
    }

    /** admin.createAndUpdateSubscriptionGroupConfig(broker, a SubscriptionGroupConfig with that name and the defaults) */
    static void updateGroup(Object admin, String broker, String group) throws Exception {
        for (Method method : admin.getClass().getMethods()) {
            if (!method.getName().equals("createAndUpdateSubscriptionGroupConfig")) continue;
            Class<?> configClass = method.getParameterTypes()[1];
            Object config = configClass.getConstructor().newInstance();
            configClass.getMethod("setGroupName", String.class).invoke(config, group);
            method.invoke(admin, broker, config);
            return;
        }
        throw new IllegalStateException("no createAndUpdateSubscriptionGroupConfig");
    }

    /** consumer.setClientRebalance(false) and consumer.setPopInvisibleTime(ms), of 5.x only: the broker says who pops what. */
    static void leaveRebalanceToBroker(Object consumer, long popInvisibleMs) throws Exception {
        consumer.getClass().getMethod("setClientRebalance", boolean.class).invoke(consumer, false);
        consumer.getClass().getMethod("setPopInvisibleTime", long.class).invoke(consumer, popInvisibleMs);
    }
}
