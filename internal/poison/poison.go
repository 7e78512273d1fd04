// Package poison makes a use after release visible: memory that goes back to a pool is overwritten
// in a build with the tag poison (make poison). In any other it is left alone, at no cost.
package poison

// Byte is what memory that was given back is full of, in a build with the tag. As a frame, a
// record or a length it is refused, and as a text it is no UTF-8.
const Byte = 0xdb
