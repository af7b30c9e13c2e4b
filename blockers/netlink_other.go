//go:build !linux

package blockers

import (
	"context"
	"errors"
)

// Only Linux has netlink(7): elsewhere the tools list.

func (n *nft) ask(context.Context, runner) (*nftHeld, error) { return nil, errors.ErrUnsupported }
func (h *ipsetHeld) ask(runner, string) error                { return errors.ErrUnsupported }
func (r *routes) ask(runner) (*routesHeld, error)            { return nil, errors.ErrUnsupported }
