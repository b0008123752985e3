// Package campaign sends one body to an audience: at a time, at a pace, to each
// number once, and to nobody who may not be texted.
//
// What it takes to say beforehand who is meant, what each of them would read, when
// and at what price, is pure: ParseQuery, ParseBody, Segments, Quiet and Estimator.
package campaign
