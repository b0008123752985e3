package config

import "slices"

// daemonKeys are the daemon's own rhythm, state and surroundings.
func daemonKeys() []key {
	return slices.Concat(syncKeys(), mediaKeys(), consentKeys(), outboxKeys(), campaignKeys(), archiveKeys(), hostKeys())
}

func syncKeys() []key {
	return []key{
		{
			path: "sync.active_every", kind: duration, fallback: "15s", low: "5s", high: "1h",
			doc: "How often new messages are looked for while a conversation is active. At most full_every.",
		},
		{
			path: "sync.full_every", kind: duration, fallback: "15m", low: "1m", high: "24h",
			doc: "How often the whole account is swept. At most lookback.",
		},
		{
			path: "sync.refresh_every", kind: duration, fallback: "1h", low: "5m", high: "24h",
			doc: "How often messages whose status is still open are read again in one walk, when they are too many to be fetched one by one.",
		},
		{
			path: "sync.drafts_every", kind: duration, fallback: "15s", low: "5s", high: "1h",
			doc: "How often Salesforce is asked what its users want: which conversations they have open, and what administrators have set. Each time costs one API call.",
		},
		{
			path: "sync.active_for", kind: duration, fallback: "10m", low: "1m", high: "24h",
			doc: "How long a conversation stays active after its last message.",
		},
		{
			path: "sync.lookback", kind: duration, fallback: "72h", low: "1h", high: "90d",
			doc: "How long after a message its status may still change. Older ones are taken as settled.",
		},
		{
			path: "sync.start", kind: duration, fallback: "30d", low: "1m", high: "3650d",
			doc: "How far back the first run reads. Older messages come with twiliosf backfill.",
		},
	}
}

func hostKeys() []key {
	return []key{
		{
			path: "store", kind: text, fallback: "sqlite:///var/lib/twiliosf/twiliosf.db", check: checkStore,
			doc: "Where the daemon keeps its state: sqlite:// and the absolute path of a file on a local disk.",
		},
		{
			path: "console.listen", kind: text, fallback: "127.0.0.1:9464", check: checkListen,
			doc: "Host and port to listen on. Nothing there asks for a password: keep it on this machine or behind a proxy.",
		},
		{
			path: "control", kind: text, check: checkControl, example: "/run/twiliosf/control.sock",
			doc: "The Unix socket on which the command line talks to a running daemon. Empty means control.sock beside the store.",
		},
		{
			path: "log.level", kind: text, fallback: "info", enum: []string{"debug", "info", "warn", "error"},
			doc: "The least important lines that are written.",
		},
		{
			path: "log.format", kind: text, fallback: "json", enum: []string{"json", "console"},
			doc: "json for machines, console for eyes.",
		},
		{
			path: "drain", kind: duration, fallback: "20s", low: "1s", high: "10m",
			doc: "The longest that stopping may take. Keep it below TimeoutStopSec of the service.",
		},
	}
}
