//go:build nosync

package disk

import "os"

// syncData syncs nothing. No release is built with this tag: the tests of internal/crashtest are,
// to show that they find a broker that confirms what the disk does not have.
func syncData(*os.File) error { return nil }
