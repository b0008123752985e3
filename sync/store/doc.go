// Package store is the daemon's durable state: one schema in one database.
//
// SQLite in a file is the embedded default: write-ahead log, fsync at every
// commit, one writing connection and a pool of readers, and a lock so that two
// daemons never share a file. The statements are the SQL that SQLite and
// PostgreSQL have in common (upsert, RETURNING, partial indexes, `?` turned
// into the database's own placeholders by its dialect); what differs stands in
// the dialect and in the migrations, which are a folder a database.
//
// The store implements the engines' ports and knows no engine's rules but one:
// a message's status never moves back (P4), which the upsert itself upholds, so
// that no interleaving of readers and writers can break it.
package store
