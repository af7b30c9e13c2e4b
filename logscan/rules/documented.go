//go:build !notable

package rules

import _ "embed"

// documented has the YAML files, each packed (RFC 1952) under its name, as
// go generate writes them: as they are they would be a third of a megabyte of
// the program, and only "blockhosts check" reads them.
//
//go:embed documented.gz
var documented []byte
