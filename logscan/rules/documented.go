package rules

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
)

// Documented returns the shipped rules with their samples and ignores, sorted
// by name. It reads every line of them; a run has no need of it.
func Documented() ([]Def, error) {
	var all []Def
	z, err := gzip.NewReader(bytes.NewReader(documented))
	if err == nil {
		err = errors.Join(json.NewDecoder(z).Decode(&all), z.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("read the shipped rules: %w", err)
	}
	for i := range all {
		all[i].own = true
	}
	return all, nil
}
