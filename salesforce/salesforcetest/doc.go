// Package salesforcetest is an emulated Salesforce org for tests, demonstrations
// and development: token endpoint, SOAP login, REST rows, upsert by external id,
// SOQL, sObject Collections, composite, Bulk API 2.0 both ways, describe and
// limits, over a schema that is read from SFDX source.
//
// It is strict on purpose. What the org would refuse is refused in the org's own
// words, and what the emulator does not understand (a SOQL clause, a query
// parameter, a field, a header of the Sforce- family) is an error, never ignored.
//
// The zero cost way in is Client, whose transport calls the handler in the
// caller's goroutine: no socket, no goroutine of its own, and so usable inside a
// testing/synctest bubble. Listen serves the same handler over TCP.
//
// Behaviour follows the public documentation at
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/ and
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/ .
// Where that is silent, Options holds a switch, and the comment at the switch says so.
//
// All times are the clock of the process (virtual inside a bubble), in UTC.
package salesforcetest
