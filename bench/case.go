package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// benchCase is one line of the table: a load, the peers it is for, and what warren is to reach.
type benchCase struct {
	name  string // for -case
	title string
	note  string // what exactly is done
	// args are the arguments of `warren perf` by peer; a peer that is not in it has no part.
	args  map[string]string
	run   func(ctx context.Context, a *attempt) error
	goals []goal
	// reference is what each peer reached in its first metric on a quiet machine, messages per
	// second. Below busyShare of it the machine was not quiet.
	reference map[string]float64
	// heavy: peers, which take minutes for it, have their turn in the first round only.
	heavy bool
	// traced has the syncs of each broker counted, in a run of their own.
	traced bool
}

// busyShare is how much of its reference a peer must reach on a machine that is quiet enough.
const busyShare = 0.8

// every gives the same arguments to some peers.
func every(args string, names ...string) map[string]string {
	m := make(map[string]string)
	for _, name := range names {
		m[name] = args
	}
	return m
}

const (
	manual     = "-x 1 -y 1 -s 1024 -f persistent -q 1000 -u work"
	lowLatency = "-x 1 -y 1 -s 16 -a -r 1000"
)

// cases lists all, in the order of the result.
func cases(s settings) []benchCase {
	return slices.Concat(throughput(), durable(), routing(), latency(), backlogs(s), keeping(s))
}

func throughput() []benchCase {
	all := []string{relayName, warrenName, rabbitName, garageName, natsName}
	beside := func(times float64) []goal {
		return []goal{
			{metric: metricCPU, most: 1, against: natsName},
			{metric: metricRate, least: 1, against: natsName},
			{metric: metricRate, least: times, against: rabbitName},
		}
	}
	return []benchCase{
		{
			name: "16B", title: "16 B transient, auto-ack, 1 producer, 1 consumer, 1 queue",
			args: every("-x 1 -y 1 -s 16 -a", all...), run: load, goals: beside(15),
			reference: map[string]float64{rabbitName: 55e3, natsName: 1069e3},
		},
		{
			name: "1KiB", title: "1 KiB transient, auto-ack, 1 producer, 1 consumer, 1 queue",
			args: every("-x 1 -y 1 -s 1024 -a", all...), run: load, goals: beside(8),
			reference: map[string]float64{rabbitName: 44e3, natsName: 449e3},
		},
		{
			name: "10x10x10", title: "1 KiB transient, 10 producers, 10 consumers, 10 queues",
			args: every("-x 10 -y 10 --queue-pattern work-%d --queue-pattern-to 10 -s 1024 -a",
				all[1:]...),
			run: load, goals: beside(0)[:2],
			reference: map[string]float64{rabbitName: 50e3, natsName: 511e3},
		},
	}
}

func durable() []benchCase {
	all := []string{warrenName, rabbitName, quorumName, garageName, jetName, syncName}
	one := every(manual+" -c 1", all...)
	one[bareName] = ""
	return []benchCase{
		{
			name: "persistent",
			title: "1 KiB persistent, durable queue, 1,000 unconfirmed, manual acks with a" +
				" prefetch of 1,000",
			note: "AMQP consumers acknowledge once for each read, with multiple; JetStream's" +
				" durable push consumer has explicit acks, one for each message.",
			args: every(manual+" -c 1000", all...), run: load, traced: true,
			goals: []goal{
				{metric: metricRate, least: 15, against: rabbitName}, {metric: metricCPU, most: 4},
			},
			reference: map[string]float64{
				rabbitName: 12.4e3, quorumName: 23e3, jetName: 52e3, syncName: 7e3,
			},
		},
		{
			name: "window-1", title: "the same with a window of 1",
			note: fmt.Sprintf("%s: the median of a 4 KiB O_DIRECT overwrite and its fdatasync,"+
				" plus the median round trip of 1 KiB to another process and 21 B back.", bareName),
			args: one, run: load, traced: true,
			goals: []goal{{metric: metricConfirm, most: 1.5, against: bareName}},
		},
	}
}

func routing() []benchCase {
	topic := func(patterns int, keys string) string {
		return fmt.Sprintf("-t topic --queue-pattern topic-%%d --queue-pattern-to 10 -x 1 -y 10"+
			" -s 16 -a --patterns %d%s", patterns, keys)
	}
	const shapes = "Patterns of the shapes n.*.fast, n.#, *.n.* and #.n by turns, n being their" +
		" number, over 10 queues. Each message matches exactly one pattern and goes to one queue;"
	return []benchCase{
		{
			name: "fan-out", title: "16 B transient, auto-ack, fan-out to 10 queues",
			note: "Rates and CPU are per delivery: ten for each message published.",
			args: every("-t fanout -x 1 -y 10 -s 16 -a", warrenName, rabbitName, garageName,
				natsName),
			run: load, goals: []goal{{metric: metricCPU, most: 1.1}},
			reference: map[string]float64{rabbitName: 66e3, natsName: 723e3},
		},
		{
			name: "topic-1000", title: "16 B transient, auto-ack, topic, 1,000 wildcard bindings",
			note: shapes + " the keys take turns over all 1,000 patterns.",
			args: every(topic(1000, ""), warrenName, rabbitName, garageName),
			run:  load, goals: []goal{{metric: metricCPU, most: 2}},
			reference: map[string]float64{rabbitName: 13e3},
		},
		{
			name: "topic-100000", title: "the same with 100,000 wildcard bindings",
			note: shapes + " the keys take turns over 10,000 of the patterns. warren only.",
			args: every(topic(100_000, " --pattern-keys 10000"), warrenName),
			run:  load, goals: []goal{{metric: metricCPU, most: 3}},
		},
	}
}

func latency() []benchCase {
	return []benchCase{
		{
			name: "latency", title: "1,000 msg/s of 16 B, transient, otherwise idle",
			args: every(lowLatency, relayName, warrenName, rabbitName, garageName, natsName),
			run:  load, goals: []goal{{metric: metricP50, most: 110}},
		},
		{
			name: "latency-confirmed", title: "1,000 msg/s of 16 B, persistent, with confirms",
			args: every("-x 1 -y 1 -s 16 -f persistent -c 1000 -q 1000 -u work -r 1000",
				warrenName, rabbitName, quorumName, garageName, jetName, syncName),
			run: load, goals: []goal{{metric: metricConfirm, most: 250}},
		},
	}
}

// backlogs have the number of messages in place of arguments: --persistent and the size follow.
func backlogs(s settings) []benchCase {
	share := 1
	if s.Quick {
		share = quickShare
	}
	goals := []goal{
		{metric: metricResident, most: 64},
		{metric: metricFill, least: 15, against: rabbitName},
		{metric: metricDrain, least: 15, against: rabbitName},
	}
	one := func(
		name, title string, persistent bool, size, own, peers int, names ...string,
	) benchCase {
		kind := " transient"
		flags := "-s " + strconv.Itoa(size)
		if persistent {
			kind = " persistent, with confirms"
			flags += " -f persistent"
		}
		args := every(fmt.Sprintf("%s -C %d", flags, own/share), append(names, warrenName)...)
		args[rabbitName] = fmt.Sprintf("%s -C %d", flags, peers/share)
		return benchCase{
			name: name, title: title + kind + ": filled without a consumer, then drained",
			heavy: true,
			note: "Peers: first round only. Memory is the most of the whole time, filling and" +
				" draining. Persistent messages are filled with 1,000 unconfirmed, and drained" +
				" with manual acks and a prefetch of 1,000; transient ones are drained with" +
				" auto-ack.",
			args: args, run: backlog, goals: goals,
		}
	}
	const million = 1_000_000
	kib := "1 M x 1 KiB,"
	small := "10 M x 100 B (RabbitMQ: 1 M, or a round would take half an hour longer),"
	withReference := one("backlog-1KiB-persistent", kib, true, 1024, million, million, jetName,
		garageName)
	withReference.reference = map[string]float64{rabbitName: 18e3, jetName: 101e3}
	return []benchCase{
		withReference,
		one("backlog-1KiB-transient", kib, false, 1024, million, million),
		one("backlog-100B-persistent", small, true, 100, 10*million, million, jetName),
		one("backlog-100B-transient", small, false, 100, 10*million, million),
	}
}

// keeping are the cases about what a broker holds, not what passes through it.
func keeping(s settings) []benchCase {
	brokers := []string{warrenName, rabbitName, garageName}
	withNATS := append(slices.Clone(brokers), natsName)
	return []benchCase{
		{
			name: "queues", title: "100,000 declared durable queues in 1,000 vhosts",
			heavy: true,
			note: "RabbitMQ: first round only. Restart is from exec to the first answer. Memory" +
				" is that after the restart less that of a broker without the queues, both at" +
				" rest. RabbitMQ holds a tenth: 10,000 queues in 100 vhosts.",
			args: map[string]string{
				warrenName: manyQueues(s, 1000), rabbitName: manyQueues(s, 100),
			},
			run: restart,
			goals: []goal{
				{metric: metricStart, most: 3}, {metric: metricPerQueue, most: 2},
			},
		},
		{
			name: "churn-queues", title: "queue declare + delete, transient, on one connection",
			note: "Each method waits for the answer to the one before.",
			args: every("--churn queues -x 1", brokers...), run: churn,
			goals: []goal{{metric: metricPairs, least: 3000}},
		},
		{
			name: "churn-connections", title: "connection open + close, 4 clients at a time",
			note: "With login, vhost and one channel, and closed as the protocol wants it.",
			args: every("--churn connections -x 4", withNATS...), run: churn,
			goals: []goal{{metric: metricPairs, least: 4000}},
		},
		{
			name: "light", title: "a broker that has nothing to do",
			note: "Resident memory three seconds after the first answer; then with idle" +
				" connections (AMQP: of one channel each), less that without.",
			args: every("--connections "+strconv.Itoa(s.Connections), append(withNATS, jetName)...),
			run:  light,
			goals: []goal{
				{metric: metricIdle, most: 15}, {metric: metricFirst, most: 100},
				{metric: metricPerConn, most: 12},
			},
		},
	}
}

// queuesPerVHost is how many queues of the case "queues" each vhost has.
const queuesPerVHost = 100

// manyQueues are the arguments that declare queues in so many vhosts.
func manyQueues(s settings, vhosts int) string {
	if s.Quick {
		vhosts /= quickShare
	}
	return fmt.Sprintf("--declare %d --declare-vhosts %d", queuesPerVHost, vhosts)
}

// vhostsOf reads the number of vhosts back.
func vhostsOf(args string) (int, error) {
	fields := strings.Fields(args)
	return strconv.Atoi(fields[len(fields)-1])
}
