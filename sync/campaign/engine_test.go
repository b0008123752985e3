package campaign_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/campaign"
	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
)

func TestARecordThatAsksReachesItsWholeAudienceOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(10 * time.Minute)
		w.once(3000)
		shown := w.org.shows(id(0))
		require.Equal(t, campaign.Completed, shown.Status)
		require.Equal(t, 3000, shown.Counts.Accepted)
		require.Equal(t, 3000, shown.Counts.Total())
		require.False(t, shown.Started.IsZero())
		require.False(t, shown.Ended.IsZero())
		require.Empty(t, shown.Problem)
		require.Equal(t, []campaign.Status{campaign.Sending, campaign.Completed}, w.org.statuses(id(0)))
		require.Len(t, w.org.answered, 3000, "members are sent to")
		require.Empty(t, w.health.Active())
	}, audience(3000), paced(10))
}

func TestEachReadsTheirOwnText(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.Body = "Hello {!Contact.FirstName|there}, see {!! and https://x.example/{!Contact.FirstName}"
		w.ask(c)
		time.Sleep(time.Minute)
		w.once(3)
		bodies := map[message.Number]string{}
		for _, l := range w.post.letters() {
			bodies[l.to] = l.body
		}
		require.Equal(t, "Hello Ada0, see {! and https://x.example/Ada0", bodies[number(0)])
		require.Equal(t, "Hello there, see {! and https://x.example/", bodies[number(2)])
	}, audience(3), func(w *world) {
		w.org.people = func(n int) campaign.Person {
			p := contact(n)
			if n == 2 {
				p.Fields = []string{" "}
			}
			return p
		}
	})
}

// strange is an audience in which much is wrong.
func strange(n int) campaign.Person {
	p := contact(n)
	switch n % 10 {
	case 1:
		p.Phones = []string{"", " "}
	case 2:
		p.Phones = []string{"call me", "none"}
	case 3:
		p.Phones = []string{"", string(number(n - 3))} // another's
	case 4:
		p.Last = "blocked"
	case 7:
		p.Fields = []string{strings.Repeat("long ", 400)}
	}
	return p
}

func TestEverybodyLeftOutIsCountedWithAReasonAndHasARecord(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		for n := range 1000 {
			w.consent.locked(func() {
				w.consent.joined[number(n)] = n%10 != 6
				w.consent.out[number(n)] = n%10 == 5
			})
		}
		c := asking(0)
		c.Keyword, c.Body = "a0K000000000001AAA", "Hello {!Contact.FirstName}"
		w.ask(c)
		time.Sleep(10 * time.Minute)
		shown := w.org.shows(id(0))
		require.Equal(t, campaign.Completed, shown.Status)
		require.Equal(t, map[campaign.Reason]int{
			campaign.NoNumber: 100, campaign.BadNumber: 100, campaign.Duplicate: 100, campaign.Blocked: 100, campaign.OptedOut: 100,
			campaign.NotOptedIn: 100, campaign.NoText: 100,
		}, shown.Counts.LeftOut)
		require.Equal(t, 300, shown.Counts.Accepted)
		require.Equal(t, 1000, shown.Counts.Total(), "counts add up")
		require.Len(t, w.post.letters(), 300)
		w.org.locked(func() { require.Len(t, w.org.recorded, 700) })
	}, audience(1000), func(w *world) { w.org.people = strange })
}

func (p *permission) locked(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func TestBadInputIsToldOnTheRecordAndNobodyIsSentTo(t *testing.T) {
	for name, slip := range map[string]struct {
		change func(c *campaign.Campaign)
		say    string
	}{
		"a merge field that is not closed": {func(c *campaign.Campaign) { c.Body = "Hello {!Contact.FirstName" }, "Body: character 7: this merge field is not closed"},
		"no audience":                      {func(c *campaign.Campaign) { c.Members = "" }, "Audience: none is named"},
		"two audiences":                    {func(c *campaign.Campaign) { c.Query = "SELECT Id FROM Lead" }, "Audience: 2 are named"},
		"nothing to say":                   {func(c *campaign.Campaign) { c.Body = " \n" }, "Body: it is empty"},
		"too much to say":                  {func(c *campaign.Campaign) { c.Body = strings.Repeat("x", 1601) }, "Body: it has more than 1600 characters"},
		"media that is no address":         {func(c *campaign.Campaign) { c.Media = "picture.png" }, "Media URL: it must be a whole address"},
		"an unknown sender":                {func(c *campaign.Campaign) { c.Sender = "(415) 555-0999" }, "Sender: the Twilio account has no number or Messaging Service +14155550999"},
		"a time long past":                 {func(c *campaign.Campaign) { c.SendAt = time.Now().Add(-13 * time.Hour) }, "Send At: its time passed more than 12h ago"},
		"a query that names a missing field": {func(c *campaign.Campaign) { c.Members, c.Query = "", "SELECT Id FROM Contact WHERE Shoe__c = 7" },
			"Audience Query: Contact has no field Shoe__c. Correct it."},
		"a field that the member does not have": {func(c *campaign.Campaign) { c.Body = "{!Contact.Shoe__c}" }, "Body: Contact has no field Shoe__c."},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				c := asking(0)
				slip.change(&c)
				w.ask(c)
				time.Sleep(time.Hour)
				shown := w.org.shows(id(0))
				require.Equal(t, campaign.Failed, shown.Status)
				require.Contains(t, shown.Problem, slip.say)
				require.Empty(t, w.post.letters())
				require.Zero(t, w.ledger.People())
			}, audience(10), func(w *world) {
				w.org.prepare = func(c campaign.Campaign, fields []campaign.Field) error {
					f := fault.New(fault.Permanent, "salesforce query", errAway)
					switch {
					case strings.Contains(c.Query, "Shoe__c"):
						f.Hint = "Audience Query: Contact has no field Shoe__c. Correct it."
						return f
					case len(fields) > 0 && fields[0].Path == "Shoe__c":
						f.Hint = "Body: Contact has no field Shoe__c."
						return f
					}
					return nil
				}
			})
		})
	}
}

func TestATimeThatHasJustPassedIsInTime(t *testing.T) {
	inBubble(t, func(_ *testing.T, w *world) {
		c := asking(0)
		c.SendAt = time.Now().Add(-11 * time.Hour)
		w.ask(c)
		time.Sleep(time.Minute)
		w.once(10)
	}, audience(10))
}

func TestACampaignIsSentAtItsTime(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.SendAt = time.Now().Add(5 * time.Hour)
		w.ask(c)
		time.Sleep(time.Minute)
		require.Equal(t, campaign.Scheduled, w.org.shows(id(0)).Status, "its record says so at once")
		time.Sleep(5*time.Hour - 2*time.Minute)
		require.Empty(t, w.post.letters())
		time.Sleep(3 * time.Minute)
		w.once(10)
		require.WithinDuration(t, c.SendAt, w.post.letters()[0].at, 3*time.Second)
	}, audience(10))
}

func TestWhatAnAuthorChangesBeforeItsTimeCounts(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.SendAt = time.Now().Add(time.Hour)
		w.ask(c)
		time.Sleep(time.Minute)
		w.says(id(0), func(c *campaign.Campaign) { c.Body = "Another text." })
		time.Sleep(time.Minute)
		w.org.locked(func() { // after the last poll
			c := w.org.records[id(0)]
			c.Body, c.Modified = "The last text.", time.Now().UTC().Truncate(time.Second)
			w.org.records[id(0)] = c
		})
		time.Sleep(time.Hour)
		w.once(2)
		require.Equal(t, "The last text.", w.post.letters()[0].body)
	}, audience(2))
}

func TestACampaignThatIsSetBackToDraftIsNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.SendAt = time.Now().Add(time.Hour)
		w.ask(c)
		time.Sleep(time.Minute)
		w.org.locked(func() { // nobody has read it yet when its time comes
			c := w.org.records[id(0)]
			c.Status, c.Modified = campaign.Draft, time.Now().UTC().Truncate(time.Second)
			w.org.records[id(0)] = c
		})
		time.Sleep(2 * time.Hour)
		require.Empty(t, w.post.letters())
		require.Equal(t, campaign.Canceled, w.org.shows(id(0)).Status)
	}, audience(2))
}

func TestAnAudienceOfNobodyIsDoneAndSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(time.Minute)
		shown := w.org.shows(id(0))
		require.Equal(t, campaign.Completed, shown.Status)
		require.Contains(t, shown.Problem, "Nobody is in the audience")
	}, audience(0))
}

func TestOneNumberAThousandTimesIsTextedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(time.Minute)
		w.once(1)
		shown := w.org.shows(id(0))
		require.Equal(t, campaign.Completed, shown.Status)
		require.Equal(t, map[campaign.Reason]int{campaign.Duplicate: 999}, shown.Counts.LeftOut)
	}, audience(1000), func(w *world) {
		w.org.people = func(n int) campaign.Person {
			p := contact(n)
			p.Phones = []string{string(number(0))}
			return p
		}
	})
}

func TestARecordThatIsDeletedEndsItsCampaign(t *testing.T) {
	for name, seen := range map[string]bool{"the poll sees it": true, "the record's own news meet nothing": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, w *world) {
				w.ask(asking(0))
				time.Sleep(10 * time.Second)
				var c campaign.Campaign
				w.org.locked(func() {
					c = w.org.records[id(0)]
					delete(w.org.records, id(0))
				})
				sent := len(w.post.letters())
				require.NotZero(t, sent)
				if seen {
					c.Deleted, c.Modified = true, time.Now().UTC()
					require.NoError(t, w.Take(t.Context(), []campaign.Campaign{c}))
					time.Sleep(time.Minute)
					require.LessOrEqual(t, len(w.post.letters()), sent+10)
				}
				time.Sleep(time.Hour)
				require.Less(t, len(w.post.letters()), sent+700)
				require.Equal(t, campaign.Canceled, w.ledger.Notice(id(0)).Status)
				var tried int
				w.org.locked(func() { tried = len(w.org.toldAt) })
				time.Sleep(100 * time.Hour)
				w.org.locked(func() { require.LessOrEqual(t, len(w.org.toldAt), tried+1, "nobody is there to be told") })
			}, audience(5000))
		})
	}
}

func TestAnOrgWithoutCallsLeftHoldsUpTheReadingAndNothingElse(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(5 * time.Second)
		require.Empty(t, w.post.letters(), "the audience is not complete yet")
		require.Equal(t, "salesforce-throttled", w.health.Active()[0].Name)
		time.Sleep(3 * time.Hour)
		w.once(5000)
		require.Equal(t, campaign.Completed, w.org.shows(id(0)).Status)
		require.Empty(t, w.health.Active())
	}, audience(5000), paced(100), func(w *world) {
		began := time.Now()
		w.org.reading = func(_ context.Context, locator string) error {
			if locator != "4000" || time.Since(began) > time.Hour {
				return nil
			}
			f := fault.New(fault.Throttled, "salesforce query", errAway)
			f.After = 10 * time.Minute
			return f
		}
	})
}

func TestSendingGoesOnWhileTheOrgIsAway(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(10 * time.Second)
		w.org.locked(func() { w.org.err = transient() })
		time.Sleep(10 * time.Minute)
		require.Len(t, w.post.letters(), 1000)
		require.Equal(t, campaign.Sending, w.ledger.Notice(id(0)).Status, "not all records are written")
		w.org.locked(func() { w.org.err = nil })
		time.Sleep(10 * time.Minute)
		w.once(1000)
		require.Equal(t, campaign.Completed, w.org.shows(id(0)).Status)
		require.Empty(t, w.health.Active())
		w.org.locked(func() { require.Len(t, w.org.recorded, 10) })
	}, audience(1010), func(w *world) {
		w.org.people = func(n int) campaign.Person {
			p := contact(n)
			if n >= 1000 {
				p.Phones = nil
			}
			return p
		}
		w.org.recErr = func(campaign.Unsent) error {
			if len(w.org.toldAt) < 3 { // the first seconds
				return transient()
			}
			return nil
		}
	})
}

func TestMediaGoAloneToWhomTheTextHasNothingToSay(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.Body, c.Media = "{!Contact.FirstName}", "https://x.example/1.png"
		w.ask(c)
		time.Sleep(time.Minute)
		w.once(2)
		require.Equal(t, " ", w.post.letters()[0].body)
	}, audience(2), func(w *world) {
		w.org.people = func(n int) campaign.Person {
			p := contact(n)
			p.Fields = []string{""}
			return p
		}
	})
}

func TestACampaignThatFailedIsSentWhenItIsMended(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.Body = "Hello {!"
		w.ask(c)
		time.Sleep(time.Minute)
		require.Equal(t, campaign.Failed, w.org.shows(id(0)).Status)
		w.says(id(0), func(c *campaign.Campaign) { c.Body, c.Status = "Hello", campaign.Send })
		time.Sleep(10 * time.Minute)
		w.once(100)
		shown := w.org.shows(id(0))
		require.Equal(t, campaign.Completed, shown.Status)
		require.Empty(t, shown.Problem)
	}, audience(100))
}

func TestACampaignThatIsSentAgainReachesThoseOnlyWhoWereNotSentTo(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.Body = "First {!Contact.FirstName}"
		w.ask(c)
		time.Sleep(30 * time.Second)
		w.says(id(0), func(c *campaign.Campaign) { c.Command = campaign.Cancel })
		time.Sleep(10 * time.Second)
		sent := len(w.post.letters())
		require.NotZero(t, sent)
		require.Less(t, sent, 1000)
		w.says(id(0), func(c *campaign.Campaign) { c.Status, c.Body = campaign.Send, "Second {!Contact.FirstName}" })
		time.Sleep(10 * time.Minute)
		w.once(1000)
		for i, l := range w.post.letters() {
			require.Equal(t, i < sent, strings.HasPrefix(l.body, "First"), "letter %d of %d", i, sent)
		}
		require.Equal(t, 1000, w.org.shows(id(0)).Counts.Accepted)
	}, audience(1000))
}

func TestWhatsAppSendersReachWhatsApp(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.Sender = "whatsapp:+1 415 555 0100"
		w.ask(c)
		time.Sleep(time.Minute)
		require.Len(t, w.post.letters(), 2)
		require.Equal(t, "whatsapp:"+number(0), w.post.letters()[0].to)
	}, audience(2))
}

func TestAReaderIsToldWhenValuesMakeTextsLonger(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		c := asking(0)
		c.Body = strings.Repeat("x", 158) + "{!Contact.FirstName}"
		w.ask(c)
		time.Sleep(time.Minute)
		require.Contains(t, w.org.shows(id(0)).Problem, "Note: 3 texts take more segments")
		require.Equal(t, 6, w.ledger.Notice(id(0)).Estimate.Segments)
	}, audience(3))
}

// fewRecipients are an audience in a run of all tests; TWILIOSF_RECIPIENTS asks for
// more.
const fewRecipients = 6_000

func TestALargeAudienceIsReadPageByPageAndSentToOnce(t *testing.T) {
	n := fewRecipients
	if text := os.Getenv("TWILIOSF_RECIPIENTS"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(10 * time.Minute)
		w.once(n)
		shown := w.org.shows(id(0))
		require.Equal(t, campaign.Completed, shown.Status)
		require.Equal(t, n, shown.Counts.Total())
		w.post.locked(func() { require.LessOrEqual(t, w.post.longest, 500, "no more wait in the outbox") })
		w.org.locked(func() {
			require.LessOrEqual(t, w.org.most, 1, "one page is in flight")
			require.Equal(t, 1, w.org.finished, "the export is given up")
		})
	}, audience(n), paced(400), func(w *world) {
		w.org.large = true
		w.org.reading = func(context.Context, string) error {
			w.org.locked(func() {
				w.org.inHand++
				w.org.most = max(w.org.most, w.org.inHand)
			})
			time.Sleep(200 * time.Millisecond)
			w.org.locked(func() { w.org.inHand-- })
			return nil
		}
	})
}

func TestAnExportThatIsGoneIsReadAnew(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(20 * time.Minute)
		w.once(5000)
		w.org.locked(func() { require.Equal(t, 3, w.org.exports) })
		require.Equal(t, 5000, w.ledger.Notice(id(0)).Estimate.Recipients)
	}, audience(5000), paced(10), func(w *world) { w.org.large, w.org.lost = true, 2 })
}

func TestASlowReadingHoldsUpNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.ask(asking(0))
		time.Sleep(5 * time.Second)
		w.org.locked(func() { w.org.reading, w.org.size = nil, 10 })
		w.ask(asking(1))
		time.Sleep(30 * time.Second)
		w.once(10)
		require.Equal(t, campaign.Completed, w.org.shows(id(1)).Status)
		require.Equal(t, campaign.Sending, w.org.shows(id(0)).Status)
		require.NoError(t, w.Command(t.Context(), id(0), campaign.Cancel))
		time.Sleep(10 * time.Second)
		require.Equal(t, campaign.Canceled, w.org.shows(id(0)).Status, "though its reading hangs")
		w.org.locked(func() { require.Zero(t, w.org.inHand, "which ends") })
	}, audience(10), func(w *world) {
		w.org.large = true
		w.org.reading = func(ctx context.Context, _ string) error {
			w.org.locked(func() { w.org.inHand++ })
			<-ctx.Done()
			w.org.locked(func() { w.org.inHand-- })
			return fmt.Errorf("export: %w", ctx.Err())
		}
	})
}
