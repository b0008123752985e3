package people

import (
	"context"
	"errors"

	"github.com/twiliosf/twiliosf/sync/fault"
	"github.com/twiliosf/twiliosf/sync/message"
	"github.com/twiliosf/twiliosf/sync/phone"
)

// errUnmet says that nobody knows yet whose number it is.
var errUnmet = errors.New("the people are not known yet")

// Who answers whose number it is, whether messages are linked or not: the Contact
// that alone has it, else the Lead; nil is nobody. Before the first filling it is
// an error, as nobody can say.
func (e *Engine) Who(ctx context.Context, number message.Number) (*message.Link, error) {
	key := phone.KeyOf(number)
	if key == 0 {
		return nil, nil //nolint:nilnil // nobody, and nothing is wrong
	}
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	select {
	case <-e.filled:
	default:
		if e.began.Load() != nil {
			return nil, fault.New(fault.Transient, "people", errUnmet)
		}
	}
	found, err := e.Directory.Find(ctx, []phone.Key{key})
	if err != nil {
		return nil, err
	}
	for _, object := range []string{Contact, Lead} {
		for _, m := range found[key] {
			if m.Object == object && m.Records == 1 {
				return &message.Link{Object: m.Object, ID: m.ID}, nil
			}
		}
	}
	return nil, nil //nolint:nilnil // as above
}
