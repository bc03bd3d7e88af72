// The official Go client as a program: sends, or consumes, and says so in JSON lines, in the words of java/src.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

var output sync.Mutex

func say(line map[string]interface{}) {
	output.Lock()
	defer output.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		panic(err)
	}
}

// The body of the message with this key, as the Java programs make it.
func bodyOf(key string, size int) []byte {
	unit := key + "|abcdefghijklmnopqrstuvwxyz|"
	body := make([]byte, size)
	for i := range body {
		body[i] = unit[i%len(unit)]
	}
	return body
}

func produce(namesrv, topic, tag, keys string, count, size int) error {
	p, err := rocketmq.NewProducer(
		producer.WithNameServer(primitive.NamesrvAddr{namesrv}),
		producer.WithGroupName("go-producer"),
		producer.WithRetry(2),
	)
	if err != nil {
		return err
	}
	if err := p.Start(); err != nil {
		return err
	}
	for i := 0; i < count; i++ {
		key := keys + strconv.Itoa(i)
		message := primitive.NewMessage(topic, bodyOf(key, size)).WithKeys([]string{key})
		if tag != "" {
			message = message.WithTag(tag)
		}
		message.WithProperty("colour", "grün")
		result, err := p.SendSync(context.Background(), message)
		if err != nil {
			return err
		}
		if result.Status != primitive.SendOK {
			return fmt.Errorf("status %d", result.Status)
		}
		say(map[string]interface{}{
			"msgId": result.MsgID, "queueId": result.MessageQueue.QueueId, "queueOffset": result.QueueOffset,
		})
	}
	return p.Shutdown()
}

func consume(namesrv, topic, tag, group string, count int) error {
	c, err := rocketmq.NewPushConsumer(
		consumer.WithNameServer(primitive.NamesrvAddr{namesrv}),
		consumer.WithGroupName(group),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	if err != nil {
		return err
	}
	over := make(chan struct{})
	var once sync.Once
	var lock sync.Mutex
	accepted := 0
	listener := func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			sum := sha256.Sum256(message.Body)
			say(map[string]interface{}{
				"accepted": true, "topic": message.Topic, "keys": message.GetKeys(), "tags": message.GetTags(),
				"queueId": message.Queue.QueueId, "queueOffset": message.QueueOffset, "msgId": message.MsgId,
				"bodyBytes": len(message.Body), "bodySha256": hex.EncodeToString(sum[:]),
				"properties": message.GetProperties(), "flag": message.Flag,
				"bornHost": message.BornHost, "storeHost": message.StoreHost,
				"reconsumeTimes": message.ReconsumeTimes,
			})
			lock.Lock()
			accepted++
			if count > 0 && accepted >= count {
				once.Do(func() { close(over) })
			}
			lock.Unlock()
		}
		return consumer.ConsumeSuccess, nil
	}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: tag}
	if err := c.Subscribe(topic, selector, listener); err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	select {
	case <-over:
	case <-signals:
	}
	return c.Shutdown()
}

func main() {
	rlog.SetLogLevel("error")
	what := os.Args[1]
	flags := flag.NewFlagSet(what, flag.ExitOnError)
	namesrv := flags.String("namesrv", "", "host:port")
	topic := flags.String("topic", "", "")
	tag := flags.String("tag", "", "a tag to send with, or an expression to consume by")
	keys := flags.String("keys", "key-", "prefix of the keys")
	group := flags.String("group", "", "")
	count := flags.Int("count", 1, "")
	size := flags.Int("size", 64, "bytes of a body")
	if err := flags.Parse(os.Args[2:]); err != nil {
		panic(err)
	}
	var err error
	if what == "produce" {
		err = produce(*namesrv, *topic, *tag, *keys, *count, *size)
	} else {
		expression := *tag
		if expression == "" {
			expression = "*"
		}
		err = consume(*namesrv, *topic, expression, *group, *count)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
