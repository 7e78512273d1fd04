package warren

import (
	"context"
	"io"

	"github.com/warrenmq/warren/internal/backup"
)

// backup writes what the node keeps, while it serves.
func (n *Node) backup(ctx context.Context, w io.Writer) error {
	a := n.app.Load()
	if a == nil {
		return errStopped
	}
	return backup.Write(ctx, w, a.store, backup.About{
		Warren: Version, Node: n.options.Identity.Node,
	})
}
