// Package config turns one YAML file and the environment into a checked Config.
//
// Everything known about a key (its type, default, unit, limits and the
// sentence that explains it) stands once, in the table in keys_vendors.go and
// keys_daemon.go. Viper's defaults, the strict pass over the YAML nodes, the
// environment's names, [Init], [Schema] and [Reference] are all made from it. A
// new key is one entry there and one field of Config; a test compares the two.
//
// [Load] reports every fault at once as [Faults], each with file, line and
// column or with the environment variable's name, and with what to do. A value
// that may be a secret is never repeated in a fault, and a [Secret] prints as
// <secret> however it is printed.
//
// Where a value comes from, the strongest first: the environment
// (TWILIOSF_SYNC_FULL_EVERY for sync.full_every; an empty variable counts as
// not set), the file, the default.
package config
