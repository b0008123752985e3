// Package salesforce is one authenticated Salesforce org over its REST API.
//
// The library simpleforce carries SOQL queries, JSON calls and the SOAP login.
// It knows no context, prints failed answers to the standard logger and gives
// errors as text, so every call gets a client of its own whose transport is a
// chain of ours. When a call fails, the chain keeps the classed fault and hands
// the library an empty answer, which it neither parses nor prints.
//
// The chain, innermost first, one concern a link:
//
//	wire     makes the HTTP request, reads the whole answer (or, of bulk results,
//	         hands it on as it comes), classes what went wrong
//	measure  counts and times every exchange
//	limits   reads Sforce-Limit-Info, counts our own calls, refuses beyond the budget
//	pace     bounds how many exchanges are under way; falls when the org is crowded
//	session  attaches the token; one login for all callers when it has ended
//	retry    repeats, a few times, what is safe to repeat
//
// So every attempt is measured and pays the budget, a login is never waited for
// inside a slot of pace, and only then does retry ask for another attempt.
//
// Bulk API 2.0 both ways is built on the same chain: StartBulkQuery and what
// follows it read, RunIngest writes and outlives its process.
//
// Errors are *fault.Error. Their texts hold no value of a record, no SOQL
// literal, no credential and no unmasked number.
//
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/
package salesforce
