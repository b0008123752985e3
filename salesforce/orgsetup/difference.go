package orgsetup

import "fmt"

// Kind is what is wrong.
type Kind string

// The kinds of differences.
const (
	Missing       Kind = "missing"
	MissingHidden Kind = "missing or hidden" // who may not view Setup cannot be told which
	Hidden        Kind = "hidden"            // it is there, and the user may not see it
	ReadOnly      Kind = "read-only"         // the user may not do with it what the daemon does
	WrongType     Kind = "type"
	TooShort      Kind = "too short"
	NoKey         Kind = "no key" // not an external id, or not unique
	LacksValues   Kind = "lacks values"
	NotAssigned   Kind = "not assigned" // the permission set
)

// Cure is who puts a difference right.
type Cure string

// The cures.
const (
	ByDeploy Cure = "deploy"
	ByAssign Cure = "assign" // the permission set gives it
	ByHand   Cure = "hand"
)

// Difference is one way in which the org is not as the daemon needs it.
type Difference struct {
	// Object and Field are API names; Object is the permission set's where it is
	// about that, and Field is "" where the object as a whole is meant.
	Object string `json:"object"`
	Field  string `json:"field,omitzero"`
	Kind   Kind   `json:"kind"`
	// Says is what it is, to be read after the name: "is 255 characters long, 32768 are needed".
	Says string `json:"says"`
	Cure Cure   `json:"cure"`
	// Remedy is what somebody does about it, a whole sentence.
	Remedy string `json:"remedy"`
}

// Name is the object's or the field's full name.
func (d Difference) Name() string {
	if d.Field == "" {
		return d.Object
	}
	return d.Object + "." + d.Field
}

// cured sets the cure with its usual remedy.
func (d Difference) cured(by Cure) Difference {
	d.Cure = by
	switch by {
	case ByDeploy:
		d.Remedy = "twiliosf org deploy deploys it."
	case ByAssign:
		d.Remedy = "twiliosf org deploy assigns the permission set that gives it."
	case ByHand:
		d.Remedy = handRemedy(&d)
	}
	return d
}

// handRemedy is for what no deployment puts right, or only at the price of
// something that somebody has made.
func handRemedy(d *Difference) string {
	name := d.Name()
	switch d.Kind {
	case Missing:
		return name + " is not ours to deploy: docs/salesforce.md says what an org must have."
	case WrongType:
		return fmt.Sprintf("Change the type of %s in Setup, or rename the field and run twiliosf org deploy.", name)
	case TooShort:
		return fmt.Sprintf("Make %s longer in Setup; the field has been changed otherwise as well, so it is not overwritten.", name)
	case NoKey:
		return fmt.Sprintf("Make %s an external id and unique in Setup; the field has been changed otherwise as well, so it is not overwritten.", name)
	case LacksValues:
		return fmt.Sprintf("Add the values to %s in Setup; it has values of your own, which a deployment would make inactive.", name)
	default:
		return fmt.Sprintf("Give the integration user access to %s.", name)
	}
}

// Report is how an org differs.
type Report struct {
	Username string `json:"username"`
	Instance string `json:"instance"`
	// Objects and Fields count what was compared.
	Objects     int          `json:"objects"`
	Fields      int          `json:"fields"`
	Differences []Difference `json:"differences"`

	userID   string
	untaught bool // no object of ours is there
	set      bool // the permission set is there
	assigned bool // and ours
}

// has tells whether something is left for a cure.
func (r *Report) has(cure Cure) bool {
	for i := range r.Differences {
		if r.Differences[i].Cure == cure {
			return true
		}
	}
	return false
}
