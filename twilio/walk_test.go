package twilio_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/mirror"
)

func TestTheListIsAskedForByDayOrWhole(t *testing.T) {
	for _, c := range []struct {
		name string
		w    mirror.Window
		want string
	}{
		{"the whole list has no filter", mirror.Window{}, "PageSize=1000"},
		{"a day", mirror.Window{Day: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}, "DateSent=2026-01-02&PageSize=1000"},
		{"a day given in another zone", mirror.Window{Day: time.Date(2026, 1, 1, 19, 0, 0, 0, time.FixedZone("", -5*3600))}, "DateSent=2026-01-02&PageSize=1000"},
		{"small pages", mirror.Window{PageSize: 7}, "PageSize=7"},
		{"pages that are too large", mirror.Window{PageSize: 5000}, "PageSize=1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			acc, seen := account(t, func(int, *http.Request) (*http.Response, error) { return respond(200, page("")), nil })
			_, err := walked(t, acc, c.w)
			require.NoError(t, err)
			require.Equal(t, []string{listPath + "?" + c.want}, seen.paths())
			r := seen.requests[0]
			require.Equal(t, "https://api.twilio.com", r.URL.Scheme+"://"+r.URL.Host)
			user, password, _ := r.BasicAuth()
			require.Equal(t, []string{keySID, keySecret}, []string{user, password})
			require.EqualValues(t, 1, acc.Calls())
		})
	}
}

func TestTheListsOwnLinksAreFollowedAsTheyAre(t *testing.T) {
	links := []string{
		listPath + "?PageSize=2&DateSent%3E=2026-01-02&To=%2B1.415.555&Page=1&PageToken=PASM.77abc",
		listPath + "?b=2&a=1&PageToken=x%2Fy+z",
		"",
	}
	acc, seen := account(t, func(n int, _ *http.Request) (*http.Response, error) {
		sids := []string{sid(n)}
		if n == 2 {
			sids = nil // an empty page is not the end
		}
		return respond(200, page(links[n-1], sids...)), nil
	})
	pages, err := walked(t, acc, mirror.Window{})
	require.NoError(t, err)
	require.Equal(t, [][]string{{sid(1)}, {}, {sid(3)}}, pages)
	require.Equal(t, append([]string{listPath + "?PageSize=1000"}, links[:2]...), seen.paths())
}

func TestAWalkEndsWhenThePageHasEnough(t *testing.T) {
	acc, seen := account(t, func(int, *http.Request) (*http.Response, error) {
		return respond(200, page("/next?PageToken=1", sid(1))), nil
	})
	require.NoError(t, acc.Walk(t.Context(), mirror.Window{}, func([]message.Message) (bool, error) { return false, nil }))
	full := errors.New("disk full")
	err := acc.Walk(t.Context(), mirror.Window{}, func([]message.Message) (bool, error) { return true, full })
	require.Equal(t, full, err)
	require.Len(t, seen.requests, 2)
}

func TestALinkThatLeadsAstrayIsNotFollowed(t *testing.T) {
	for _, c := range []struct{ name, link, want string }{
		{"another host", "https://evil.example" + listPath, "another host"},
		{"another host without a scheme", "//evil.example" + listPath, "another host"},
		{"another scheme", "http://api.twilio.com" + listPath, "another host"},
		{"with a user", "https://x:y@api.twilio.com" + listPath, "another host"},
		{"no URL", "http://[::1", "another host"},
		{"the first page again", listPath + "?PageSize=1000", "back to a page"},
		{"the same page for ever", listPath + "?Page=1", "back to a page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				acc, seen := account(t, func(int, *http.Request) (*http.Response, error) { return respond(200, page(c.link, sid(1))), nil })
				_, err := walked(t, acc, mirror.Window{})
				require.ErrorContains(t, err, c.want)
				require.Equal(t, fault.Transient, fault.ClassOf(err))
				require.NotEmpty(t, fault.Hint(err))
				require.LessOrEqual(t, len(seen.requests), 5)
				for _, r := range seen.requests {
					require.Equal(t, "api.twilio.com", r.URL.Host)
				}
			})
		})
	}
}

func TestAListThatIsEmptyForEverEnds(t *testing.T) {
	acc, seen := account(t, func(n int, _ *http.Request) (*http.Response, error) {
		return respond(200, page(listPath+"?PageToken="+sid(n))), nil
	})
	_, err := walked(t, acc, mirror.Window{})
	require.ErrorContains(t, err, "empty pages")
	require.Len(t, seen.requests, 100)
}

func TestAPageThatFailsIsReadAgainAndHandedOverOnce(t *testing.T) {
	two := page("/next?PageToken=2", sid(1), sid(2))
	for _, c := range []struct {
		name string
		bad  func() (*http.Response, error)
	}{
		{"cut in the middle of a row", func() (*http.Response, error) { return respond(200, two[:len(two)-80]), nil }},
		{"cut before the last brace", func() (*http.Response, error) { return respond(200, two[:len(two)-1]), nil }},
		{"HTML with 200", func() (*http.Response, error) { return respond(200, "<html>"), nil }},
		{"another object", func() (*http.Response, error) { return respond(200, `{"ok":true}`), nil }},
		{"nothing", func() (*http.Response, error) { return respond(200, ""), nil }},
		{"500", func() (*http.Response, error) { return refuse(500, 20500), nil }},
		{"503 with HTML", func() (*http.Response, error) { return respond(503, "<html>"), nil }},
		{"a redirect", func() (*http.Response, error) { return respond(302, "", "Location", "https://evil.example"), nil }},
		{"a reset", func() (*http.Response, error) { return nil, errors.New("connection reset by peer") }},
		{"a foreign next link", func() (*http.Response, error) { return respond(200, page("https://evil.example/", sid(1))), nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				acc, seen := account(t, func(n int, r *http.Request) (*http.Response, error) {
					switch {
					case n <= 2:
						return c.bad()
					case strings.HasSuffix(r.URL.RawQuery, "PageToken=2"):
						return respond(200, page("", sid(3))), nil
					default:
						return respond(200, two), nil
					}
				})
				pages, err := walked(t, acc, mirror.Window{})
				require.NoError(t, err)
				require.Equal(t, [][]string{{sid(1), sid(2)}, {sid(3)}}, pages)
				require.EqualValues(t, 4, acc.Calls())
				for _, b := range seen.bodies {
					require.True(t, b.closed)
				}
			})
		})
	}
}

func TestAPageThatFailsForGoodIsAFault(t *testing.T) {
	for _, c := range []struct {
		name  string
		bad   func() (*http.Response, error)
		class fault.Class
		hint  string
		tries int
	}{
		{"HTML with 200", func() (*http.Response, error) { return respond(200, "<html>"), nil }, fault.Transient, "base_url", 5},
		{"half a page", func() (*http.Response, error) { return respond(200, `{"messages":[`), nil }, fault.Transient, "reaches the host", 5},
		{"500", func() (*http.Response, error) { return refuse(500, 20500), nil }, fault.Transient, "", 5},
		{"no connection", func() (*http.Response, error) { return nil, errors.New("connection reset by peer") }, fault.Transient, "reaches the host", 5},
		{"429", func() (*http.Response, error) { return refuse(429, 20429), nil }, fault.Throttled, "", 10},
		{"401", func() (*http.Response, error) { return refuse(401, 20003), nil }, fault.Auth, "api_key_secret", 1},
		{"no such account", func() (*http.Response, error) { return refuse(404, 20404), nil }, fault.Auth, "account_sid", 1},
		{"a bad parameter", func() (*http.Response, error) { return refuse(400, 20001), nil }, fault.Permanent, "", 1},
		{"an invalid token on the first page", func() (*http.Response, error) { return refuse(400, 21481), nil }, fault.Permanent, "", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				acc, seen := account(t, func(int, *http.Request) (*http.Response, error) { return c.bad() })
				pages, err := walked(t, acc, mirror.Window{})
				require.Equal(t, c.class.String(), fault.ClassOf(err).String(), err)
				require.Contains(t, fault.Hint(err), c.hint)
				require.Empty(t, pages)
				require.Len(t, seen.requests, c.tries)
				require.True(t, strings.HasPrefix(err.Error(), "twilio list messages: "), err)
				for _, secret := range []string{"secret", keySecret, "4155550100", "evil"} {
					require.NotContains(t, err.Error(), secret)
				}
				for _, b := range seen.bodies {
					require.True(t, b.closed)
				}
			})
		})
	}
}

func TestAnInvalidPageTokenBeginsTheWalkAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expired := 0
		acc, _ := account(t, func(_ int, r *http.Request) (*http.Response, error) {
			if !strings.Contains(r.URL.RawQuery, "PageToken") {
				return respond(200, page(listPath+"?PageToken=x", sid(1))), nil
			}
			expired++
			if expired <= 1 {
				return refuse(400, 21481), nil
			}
			return respond(200, page("", sid(2))), nil
		})
		pages, err := walked(t, acc, mirror.Window{})
		require.NoError(t, err)
		require.Equal(t, [][]string{{sid(1)}, {sid(1)}, {sid(2)}}, pages)
		require.EqualValues(t, 4, acc.Calls())
	})
}

func TestATokenThatIsNeverValidEndsTheWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		acc, _ := account(t, func(_ int, r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.RawQuery, "PageToken") {
				return refuse(400, 21481), nil
			}
			return respond(200, page(listPath+"?PageToken=x", sid(1))), nil
		})
		pages, err := walked(t, acc, mirror.Window{})
		require.Equal(t, "21481", fault.CodeOf(err))
		require.Equal(t, fault.Transient, fault.ClassOf(err))
		require.Len(t, pages, 4, "once and three times more")
	})
}

func TestRowsThatCannotBeReadFailTheWalkAtItsEnd(t *testing.T) {
	bad := `{"sid":"+14155550100","body":"secret"}`
	acc, _ := account(t, func(n int, _ *http.Request) (*http.Response, error) {
		switch n {
		case 1:
			return respond(200, page(listPath+"?PageToken=x", sid(1))), nil
		case 2:
			return respond(200, `{"messages":[`+row(sid(2))+`,`+bad+`,`+row(sid(3))+`,`+bad+`],"next_page_uri":"/next?PageToken=y"}`), nil
		default:
			return respond(200, page("", sid(4))), nil
		}
	})
	pages, err := walked(t, acc, mirror.Window{})
	require.Equal(t, [][]string{{sid(1)}, {sid(2), sid(3)}, {sid(4)}}, pages, "the others go on")
	require.EqualError(t, err, "twilio list messages: UNREADABLE_ROW: the answer is not Twilio's: page 2, row 2: sid: not a message SID (and 1 more rows)")
	require.Equal(t, fault.Transient, fault.ClassOf(err))
	require.NotEmpty(t, fault.Hint(err))
}

func TestAWalkThatIsStoppedSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, answer := range map[string]func(*http.Request) (*http.Response, error){
			"while Twilio answers": func(r *http.Request) (*http.Response, error) { <-r.Context().Done(); return nil, r.Context().Err() },
			"while it waits":       func(*http.Request) (*http.Response, error) { return refuse(500, 20500), nil },
			"while throttled": func(*http.Request) (*http.Response, error) {
				return respond(429, "", "Retry-After", "60"), nil
			},
		} {
			acc, _ := account(t, func(_ int, r *http.Request) (*http.Response, error) { return answer(r) })
			ctx, cancel := contextWithCause(t)
			time.AfterFunc(time.Second+50*time.Millisecond, cancel)
			start := time.Now()
			err := acc.Walk(ctx, mirror.Window{}, func([]message.Message) (bool, error) { return true, nil })
			require.ErrorIs(t, err, errStopping, name)
			require.True(t, fault.Stopped(ctx, err), name)
			require.Equal(t, time.Second+50*time.Millisecond, time.Since(start), name)
		}
	})
}
