package expire

import (
	"fmt"
	"regexp"
	"strings"
)

// Block is the weight of a user whose first attempt blocks.
const Block = -1

// Users weighs attempts by the name that was tried. The nil Users weighs 1
// whoever it is.
type Users struct {
	names    map[string]int
	patterns []userPattern
}

type userPattern struct {
	re     *regexp.Regexp
	weight int
}

// NewUsers compiles weights: by name, or by a pattern behind "re:" that must
// match the whole name. A name goes before patterns; of several patterns that
// match, the heaviest counts.
func NewUsers(weights map[string]int) (*Users, error) {
	u := &Users{names: map[string]int{}}
	for name, weight := range weights {
		text, isPattern := strings.CutPrefix(name, "re:")
		if !isPattern {
			u.names[name] = weight
			continue
		}
		re, err := regexp.Compile("^(?:" + text + ")$")
		if err != nil {
			return nil, fmt.Errorf("user pattern %.60q: %w", text, err)
		}
		u.patterns = append(u.patterns, userPattern{re: re, weight: weight})
	}
	return u, nil
}

// weight returns how many attempts one by this user counts as, or Block.
func (u *Users) weight(user string) int {
	if u == nil || user == "" {
		return 1
	}
	if w, ok := u.names[user]; ok {
		return w
	}
	heaviest, found := 1, false
	for _, p := range u.patterns {
		if !p.re.MatchString(user) {
			continue
		}
		if p.weight == Block {
			return Block
		}
		if !found || p.weight > heaviest {
			heaviest, found = p.weight, true
		}
	}
	return heaviest
}
