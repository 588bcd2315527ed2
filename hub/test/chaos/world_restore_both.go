package main

import "context"

// restoreTwo puts a backup back under two replicas, each of which has renewed half of the
// grants last, and starts both.
func restoreTwo(ctx context.Context, v *venue) error {
	all := v.all()
	half := len(all) / 2
	hubs, backup, reached, err := v.agedByTwo(ctx, all[:half], all[half:])
	if err != nil {
		return err
	}
	for _, h := range hubs {
		h.stop()
	}
	if err := backup.restore(ctx); err != nil {
		return err
	}
	var again []*hubProcess
	for n := range hubs {
		h, err := v.launch(ctx, n, "")
		if err != nil {
			return err
		}
		again = append(again, h)
	}
	for _, h := range again {
		if err := h.serves(ctx); err != nil {
			return err
		}
	}
	v.ask(again...)
	return v.caughtUp(ctx, again[1], reached)
}
