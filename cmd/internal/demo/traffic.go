package demo

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"time"

	"github.com/twiliosf/twiliosf/twilio/twiliotest"
)

// TrafficOptions say how people write.
type TrafficOptions struct {
	// Seed decides everything: who writes what over which line and when. Give
	// the account the same one to make its answers repeatable as well.
	Seed uint64
	// PerSecond is how many messages there are a second, on average, once the
	// first answers come; 0 means 3.
	PerSecond float64
	// Said is told each message's SID just after it was made, in Run's
	// goroutine; nil means nobody.
	Said func(sid string)
}

// Traffic is people who write to an emulated account, and an office that answers.
type Traffic struct {
	o    TrafficOptions
	tw   *twiliotest.Server
	rng  *rand.Rand
	said []Conversation // what is still to be talked about in this round
	due  agenda
	seq  int
	mean time.Duration // between two beginnings
}

// NewTraffic starts nothing. The account must have twiliotest's default numbers,
// senders and service.
func NewTraffic(tw *twiliotest.Server, o TrafficOptions) *Traffic {
	if o.PerSecond <= 0 {
		o.PerSecond = 3
	}
	if o.Said == nil {
		o.Said = func(string) {}
	}
	all := conversations()
	lines := 0
	for _, c := range all {
		lines += len(c.Lines)
	}
	mean := float64(time.Second) * float64(lines) / float64(len(all)) / o.PerSecond
	return &Traffic{o: o, tw: tw, rng: rand.New(rand.NewPCG(o.Seed, 0x74726166666963)), mean: time.Duration(mean)}
}

// History gives the account a past of n messages or a few more, over the days
// before now: with pictures, chats, a Messaging Service, and with messages that
// were not delivered, failed or were canceled.
func (t *Traffic) History(now time.Time, n int) {
	t.tw.Seed(history(t.o.Seed, now, n)...)
}

// Run lets people write until ctx ends, in its own goroutine alone. It may be
// called once.
func (t *Traffic) Run(ctx context.Context) {
	begin := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	// As if people had been talking all the while: some have an answer ready.
	for range int(2 * t.o.PerSecond) {
		t.plan(t.upTo(2*time.Second), t.begin())
	}
	t.plan(0, nil)
	for {
		next := heap.Pop(&t.due).(appointment) //nolint:errcheck // nothing else is in it
		// Moments count from the beginning and not from the last one: what happens
		// then depends on the seed alone, however late a timer is.
		timer.Reset(time.Until(begin.Add(next.at)))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			t.happen(next)
		}
	}
}

// happen does what is due and plans what follows from it.
func (t *Traffic) happen(a appointment) {
	if a.thread == nil {
		t.plan(a.at+time.Duration(t.rng.ExpFloat64()*float64(t.mean)), nil)
		a.thread = t.begin()
	}
	th := a.thread
	sid := t.say(th)
	if !th.over() {
		wait := time.Second + t.upTo(5*time.Second) // the office is quick
		if !th.Lines[th.next].Ours {
			wait = 2*time.Second + t.upTo(8*time.Second) + t.upTo(12*time.Second)
		}
		t.plan(a.at+wait, th)
	}
	t.o.Said(sid)
}

// begin takes the next conversation; each is had once before any is had again.
func (t *Traffic) begin() *thread {
	if len(t.said) == 0 {
		t.said = Conversations()
		t.rng.Shuffle(len(t.said), func(a, b int) { t.said[a], t.said[b] = t.said[b], t.said[a] })
	}
	c := t.said[0]
	t.said = t.said[1:]
	return newThread(c, t.rng)
}

// say makes the thread's next line a message and returns its SID.
func (t *Traffic) say(th *thread) string {
	line, picture := th.line(), th.picture(t.rng)
	if !line.Ours {
		in := twiliotest.Inbound{From: th.theirs, To: t.reached(th), Body: line.Text}
		if picture {
			in.Media = []twiliotest.Media{{ContentType: "image/jpeg"}}
			in.Receiving = time.Second
		}
		return t.tw.Receive(in)
	}
	out := twiliotest.Outbound{From: th.ours, ServiceSID: th.service, To: th.theirs, Body: line.Text}
	if picture {
		out.MediaURLs = []string{"https://example.com/pictures/map.png"} // the account only reads the name
	}
	th.last = t.tw.Send(out)
	return th.last
}

// reached is the line that a person answers to: the thread's, or the one that
// the service has chosen.
func (t *Traffic) reached(th *thread) string {
	if th.ours != "" {
		return th.ours
	}
	if row, ok := t.tw.Message(th.last); ok && row.From != "" {
		return row.From
	}
	return sales
}

func (t *Traffic) upTo(d time.Duration) time.Duration { return time.Duration(t.rng.Int64N(int64(d))) }

// plan enters a thread's next line, or with nil the next beginning.
func (t *Traffic) plan(at time.Duration, th *thread) {
	t.seq++
	heap.Push(&t.due, appointment{at: at, seq: t.seq, thread: th})
}

// appointment is something that happens at a moment after the beginning.
type appointment struct {
	at     time.Duration
	seq    int
	thread *thread
}

// agenda holds appointments, soonest first.
type agenda []appointment

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }

// Push is called by container/heap.
func (a *agenda) Push(x any) { *a = append(*a, x.(appointment)) } //nolint:errcheck // nothing else is put in

// Pop is called by container/heap.
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
