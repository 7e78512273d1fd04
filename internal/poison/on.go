//go:build poison

package poison

// On says that memory is overwritten.
const On = true

// Bytes overwrites all of b up to its capacity. The caller gives b back with this: nobody may have
// use for what is in it.
func Bytes(b []byte) {
	b = b[:cap(b)]
	for i := range b {
		b[i] = Byte
	}
}
