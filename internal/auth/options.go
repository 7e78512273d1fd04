package auth

import (
	"fmt"
	"slices"
	"time"
)

// Options says how Internal judges. The zero value of a field means its default.
type Options struct {
	// Hashing is the algorithm that new passwords are hashed with; default HashArgon2id. Users
	// whose passwords are hashed with HashSHA256 or HashSHA512 can move to a RabbitMQ.
	Hashing string
	// LoopbackUsers may log in from this machine only; nil means guest, whose password
	// everybody knows. An empty list that is not nil lets everybody in from everywhere.
	LoopbackUsers []string
	// BackEnds are who is asked, in this order: "internal" is the only one there is, and the
	// default.
	BackEnds []string
	// WaitMax is how long a login may wait for its turn to be computed, and for a throttle;
	// default 10 seconds.
	WaitMax time.Duration
}

// waitMaxDefault is the default of Options.WaitMax.
const waitMaxDefault = 10 * time.Second

func (o Options) withDefaults() Options {
	if o.Hashing == "" {
		o.Hashing = HashArgon2id
	}
	if o.LoopbackUsers == nil {
		o.LoopbackUsers = []string{"guest"}
	}
	if o.WaitMax <= 0 {
		o.WaitMax = waitMaxDefault
	}
	o.LoopbackUsers = slices.Clone(o.LoopbackUsers)
	return o
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	if o.Hashing != "" {
		if err := MayHash(o.Hashing); err != nil {
			return err
		}
	}
	if o.WaitMax < 0 {
		return fmt.Errorf("a login cannot wait for %v", o.WaitMax)
	}
	return checkBackends(o.BackEnds)
}
