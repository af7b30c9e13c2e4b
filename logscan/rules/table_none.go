//go:build notable

package rules

// shipped is empty while go generate makes table.go, which it must not need.
var shipped []Def

var documented []byte
