package warren

import "github.com/warrenmq/warren/internal/exchange"

// plugins is what a node is made of that can be extended: a new exchange type is a file in
// internal/exchange and a line in exchange.Standard, which is what stands here.
type plugins struct {
	exchangeTypes []exchange.Type
}

// standard is the table of everything that comes with warren.
func standard() plugins {
	return plugins{exchangeTypes: exchange.Standard()}
}
