package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"platewatch/uplink"
	"platewatch/uplink/broker"
	"platewatch/uplink/probe"
)

// brokers tries each broker. While the daemon runs nothing logs in: where the broker
// takes the client's id from the certificate, that would end the daemon's connection.
func (x *examination) brokers(ctx context.Context, found sink) {
	list := x.c.Uplink.Broker.List()
	if len(list) == 0 {
		found.warn("broker", "", "none is configured", "at least one: hits stay on this machine", "set uplink.brokers")
		return
	}
	s := probe.Settings{Unit: x.c.Unit.Name, Lists: x.c.Uplink.Lists.Lists, Login: !x.daemon.running, Server: x.c.Uplink.Client.Ack == uplink.AckServer}
	for _, b := range list {
		limited, cancel := context.WithTimeout(ctx, 15*time.Second)
		x.broker(found, b, s, probe.Try(limited, b, s))
		cancel()
	}
	if x.daemon.document != nil {
		x.daemonLink(found)
	}
}

// stageNames are the stages in words, and what each should give.
var stageNames = map[probe.Stage][2]string{
	probe.Setup:  {"files", "certificates, keys and passwords that can be used"},
	probe.Name:   {"name", "an address"},
	probe.TCP:    {"connection", "an answer"},
	probe.TLS:    {"TLS", "a certificate that the authority signed for this name"},
	probe.Login:  {"login", "let in"},
	probe.Rights: {"rights", "an answer to each message"},
}

func (x *examination) broker(found sink, b broker.Broker, s probe.Settings, r *probe.Report) {
	about := "broker " + b.Name()
	passed := map[probe.Stage]string{
		probe.Name: strings.Join(r.Addresses, ", "), probe.TCP: "connected", probe.TLS: r.TLSVersion, probe.Login: "let in",
	}
	for _, stage := range probe.Stages {
		words := stageNames[stage]
		if stage == r.Failed {
			found.fail(about, words[0], reason(r.Err), words[1], hint(r.Err, "see the broker's log"))
			continue
		}
		if text := passed[stage]; text != "" && r.Passed(stage) {
			found.ok(about, words[0], fmt.Sprintf("%s, after %.0f ms", text, 1000*r.Took[stage].Seconds()), words[1])
		}
		if stage == probe.TCP && b.Plaintext() {
			found.warn(about, "TLS", "the link is not encrypted, as configured (insecure = true)", "TLS", "use mqtts:// and a CA file")
		}
	}
	for i, c := range r.Chain {
		what := "certificate"
		if i > 0 {
			what = "authority " + c.Subject
		}
		expiresOn(found, about, what, c.Expires)
	}
	if r.Passed(probe.Rights) {
		rights(found, about, s, r)
	}
	if !s.Login && r.Failed == "" {
		found.skip(about, "login and rights", "left to the running daemon, whose connection a second login may end")
	}
}

// reason is an error without what the finding says already.
func reason(err error) string {
	text := err.Error()
	if inner := errors.Unwrap(err); inner != nil {
		text = inner.Error()
	}
	return text
}

const rightsAdvice = "see deploy/broker/README.md for the access rules of a unit"

// rights tells what may be written and read.
func rights(found sink, about string, s probe.Settings, r *probe.Report) {
	if !r.MQTT5 {
		found.skip(about, "rights", "this broker speaks MQTT 3.1.1 only, in which it does not tell what it refuses")
	} else {
		closed := topics(r.Write, false)
		found.grade(len(closed) == 0, Fail, about, "own topics", either(closed, "all can be written", "refused: %s"), "all can be written", rightsAdvice)
		open := topics(r.Closed, true)
		found.grade(len(open) == 0, Fail, about, "others' topics", either(open, "refused", "can be written: %s"),
			"refused: whoever takes this unit could send hits as another, or acknowledge what the server never got", rightsAdvice)
	}
	found.grade(len(r.Others) == 0, Fail, about, "others' messages", either(r.Others, "none can be read", "of units %s"),
		"none can be read", rightsAdvice)
	if s.Server {
		found.grade(r.Acks, Fail, about, "acknowledgements", either(nil, "can be read", ""), "can be read", rightsAdvice)
		if r.Answered {
			found.ok(about, "server", fmt.Sprintf("answers a probe after %.0f ms", 1000*r.RoundTrip.Seconds()), "an answer")
		} else {
			found.warn(about, "server", "does not answer a probe", "an answer: hits stay here until the server acknowledges them",
				"start the server (platewatch watch -ack); one of another make may not know probes")
		}
	}
	found.grade(r.Verdicts, Warn, about, "verdicts", ifElse(r.Verdicts, "can be read", "refused"), "can be read: what persons found of hits is counted", rightsAdvice)
	for _, l := range s.Lists {
		found.grade(r.Manifests[l], Warn, about, "hotlist "+l, ifElse(r.Manifests[l], "its manifest can be read", "no manifest can be read"),
			"a manifest", "publish the list, and let this unit read its topics")
	}
}

// topics are those that can be written, or that cannot.
func topics(list []probe.Access, allowed bool) (out []string) {
	for _, a := range list {
		if a.Known && a.Allowed == allowed {
			out = append(out, a.Topic)
		}
	}
	return out
}

// either is a text for an empty list, and another with the list.
func either(list []string, none, some string) string {
	if len(list) == 0 {
		return none
	}
	return fmt.Sprintf(some, strings.Join(slices.Compact(list), ", "))
}

func ifElse(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

// daemonLink tells how the running daemon fares.
func (x *examination) daemonLink(found sink) {
	const about = "broker"
	u := &x.daemon.document.Uplink
	if u.State != "connected" {
		found.fail(about, "of the daemon", strings.TrimSuffix(u.State+": "+u.LastError, ": "), "connected", "see the steps above")
		return
	}
	found.ok(about, "of the daemon", fmt.Sprintf("connected to %s since %s, %s delivered", u.Broker, age(u.Since), count(int(u.Delivered), "message")), "connected")
	if x.c.Uplink.Client.Ack == uplink.AckServer {
		found.grade(!u.ServerSilent, Fail, about, "server", ifElse(u.ServerSilent, fmt.Sprintf("does not acknowledge %s that the broker has", count(x.daemon.document.Outbox.Awaiting, "hit")), "acknowledges hits"),
			"acknowledges hits", "start the server (platewatch watch -ack), and let it write to the acks topics")
	}
}
