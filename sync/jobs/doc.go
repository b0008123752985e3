// Package jobs runs the daemon's work: schedules say when, a durable engine
// says that it is done even if the process dies in between.
//
// A job is coarse (a sweep, a day of a backfill, a page of an archive) and
// durable from the moment the transaction that added it commits, so rows and
// the jobs that speak of them are never one without the other. Its promises:
//
//  1. A job is run at least once. A process that dies, or is stopped before the
//     handler has finished, leaves the job to the next Run, so handlers are
//     idempotent.
//  2. Of the jobs with one key at most one is waiting or running.
//  3. A job that fails is reported and forgotten. To try again is the handler's
//     own affair, or the schedule comes round again.
//  4. A schedule's row moves on and its job is added in one transaction, by
//     compare-and-set: no run is lost and none is doubled, whoever is killed and
//     however many schedulers share the store. What fell due while nobody ran
//     is caught up once.
//
// River (https://riverqueue.com/docs) carries the jobs in the store's database.
// Its periodic jobs live in its leader's memory and are lost with it, and its
// retries wait for an elected leader, so neither is used.
package jobs
