package definition

import (
	"slices"
	"strings"

	"github.com/warrenmq/warren/amqp"
)

// Metadata is what is said of a vhost. What is stored and returned shares its memory with nobody
// who writes to it: the caller does not either.
type Metadata struct {
	Description string
	Tags        []string
	// DefaultQueueType is the type of queues that are declared without one; "" leaves that to the
	// node.
	DefaultQueueType string
	// Protected vhosts cannot be deleted.
	Protected bool
}

// Equal reports whether both say the same.
func (m Metadata) Equal(o Metadata) bool {
	return m.Description == o.Description && m.DefaultQueueType == o.DefaultQueueType &&
		m.Protected == o.Protected && slices.Equal(m.Tags, o.Tags)
}

// metadataMax is how long the texts of metadata may be, in octets, and how many tags there are.
const metadataMax = 4096

// CheckMetadata says what is wrong with metadata: text that is too long, a queue type that is
// unknown.
func CheckMetadata(m Metadata) *amqp.Error {
	if len(m.Description) > metadataMax || len(strings.Join(m.Tags, ",")) > metadataMax {
		return amqp.NewError(amqp.PreconditionFailed,
			"the description of a vhost has at most %d octets, and its tags", metadataMax)
	}
	return CheckQueueType(m.DefaultQueueType)
}

// CheckQueueType refuses what is no type of queues. "" is good.
func CheckQueueType(name string) *amqp.Error {
	if _, ok := queueTypes[name]; !ok && name != "" {
		return amqp.NewError(amqp.PreconditionFailed, "unknown queue type '%s'", name)
	}
	return nil
}

// PutMetadata replaces the metadata of the vhost.
func (v *VHost) PutMetadata(m Metadata) {
	m.Tags = slices.Clone(m.Tags)
	v.metadata = m
}

// Metadata returns the metadata of the vhost.
func (v *VHost) Metadata() Metadata { return v.metadata }
