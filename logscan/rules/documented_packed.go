//go:build !notable

package rules

import _ "embed"

// documented has the rules of the YAML files, in JSON, packed (RFC 1952), as
// go generate writes them: the files are a third of a megabyte, the rules in one
// stream and without comments 58 kB, and only "blockhosts check" reads them.
//
//go:embed documented.json.gz
var documented []byte
