package campaign

import (
	"math"
	"time"
)

// Estimate is what a campaign would take.
type Estimate struct {
	Recipients int
	Segments   int // of all texts together
	GSM7, UCS2 int // texts by their encoding
	Longest    int // segments of the longest text
	// SecondSegment is how many texts take more segments than the body does with its
	// defaults: values made them longer, or UCS-2.
	SecondSegment int
	Cost          float64       // of the messages, before taxes and carriers' fees
	Unit          string        // ISO 4217, what Cost is in
	Duration      time.Duration // from the first message to the last at the given rate, 0 when there is none
}

// Encoding is the one that most texts have; GSM-7 if that is half of them.
func (e Estimate) Encoding() Encoding {
	if e.UCS2 > e.GSM7 {
		return UCS2
	}
	return GSM7
}

// Estimator adds up texts. One goroutine uses it.
type Estimator struct {
	smart bool
	alone int // segments of the body with its defaults
	sum   Estimate
}

// NewEstimator makes an estimator of a body's texts. smart is for a sender that is a
// Messaging Service with Smart Encoding on.
func NewEstimator(b *Body, smart bool) *Estimator {
	e := &Estimator{smart: smart}
	e.alone, _ = e.segments(b.Fill(func(Field) string { return "" }))
	return e
}

func (e *Estimator) segments(text string) (int, Encoding) {
	if e.smart {
		text = SmartEncode(text)
	}
	return Segments(text)
}

// Add counts one recipient's text, filled.
func (e *Estimator) Add(text string) {
	n, encoding := e.segments(text)
	e.sum.Recipients++
	e.sum.Segments += n
	e.sum.Longest = max(e.sum.Longest, n)
	if encoding == UCS2 {
		e.sum.UCS2++
	} else {
		e.sum.GSM7++
	}
	if n > e.alone {
		e.sum.SecondSegment++
	}
}

// Price is what one segment costs, 0 when nobody knows.
type Price struct {
	Segment float64
	Unit    string // ISO 4217: "USD"
}

// Estimate is what was added up, at a price and a rate in messages a second.
func (e *Estimator) Estimate(price Price, rate float64) Estimate {
	all := e.sum
	all.Cost, all.Unit = float64(all.Segments)*price.Segment, price.Unit
	all.Duration = Lasts(all.Recipients, rate)
	return all
}

// Lasts is how long so many messages take at a rate in messages a second, each of
// them the same share of it. It is 0 when the rate is none.
func Lasts(messages int, rate float64) time.Duration {
	if messages <= 0 || !(rate > 0) {
		return 0
	}
	nanoseconds := float64(messages) / rate * float64(time.Second)
	if nanoseconds >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Round(nanoseconds))
}
