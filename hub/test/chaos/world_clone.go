package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// copied is the replica whose folder is a copy of that of replica 0.
const copied = 9

// clone copies the data folder of a hub that runs, starts the copy beside it, and then
// starts both again and again while the other one has requests out.
func clone(ctx context.Context, v *venue) error {
	if v.postgres == nil {
		return v.cloneWithDatabase(ctx)
	}
	original, err := v.start(ctx, 0, "")
	if err != nil {
		return err
	}
	all := v.all()
	before, err := v.generations(ctx, original, all)
	if err != nil {
		return err
	}
	if err := v.out(ctx, original, all, 4*time.Second); err != nil {
		return err
	}
	if err := copyData(v.dataDir(0), v.dataDir(copied)); err != nil {
		return err
	}
	twin, err := v.start(ctx, copied, "")
	if err != nil {
		return err
	}
	v.ask(original, twin)
	if err := v.passed(ctx, twin, before); err != nil {
		return err
	}
	rounds := sized(v.stage, 4, 1)
	for range rounds {
		if original, twin, err = v.restartBoth(ctx, original, twin); err != nil {
			return err
		}
	}
	v.remark = fmt.Sprintf("%d restarts of the original, %d of the copy", 2*rounds, rounds)
	if told := original.says("continuing as a new replica") + twin.says("continuing as a new replica"); told == 0 {
		v.problem("no hub says that the folder was copied")
	}
	end, err := v.busy(ctx, original, 4*time.Second, 8*time.Second)
	if err != nil {
		return err
	}
	if err := wait(ctx, sized(v.stage, 15*time.Second, 2*time.Second)); err != nil {
		return err
	}
	return end()
}

// restartBoth kills the original with replies in its journal and starts it again, while
// the copy has requests out; then it stops and starts the copy, while the original has.
func (v *venue) restartBoth(ctx context.Context, original, twin *hubProcess) (_, _ *hubProcess, err error) {
	all := v.all()
	mine, theirs := all[:unlearned], all[unlearned:]
	original.stop()
	if original, err = v.armed(ctx, 0, mine); err != nil {
		return nil, nil, err
	}
	before, err := v.generations(ctx, twin, all)
	if err != nil {
		return nil, nil, err
	}
	if err := v.out(ctx, twin, theirs, 4*time.Second); err != nil {
		return nil, nil, err
	}
	v.renew(ctx, original, mine)
	if err := original.killed(ctx); err != nil {
		return nil, nil, err
	}
	if original, err = v.start(ctx, 0, ""); err != nil {
		return nil, nil, err
	}
	v.ask(original, twin)
	if err := v.passed(ctx, original, before); err != nil {
		return nil, nil, err
	}
	if before, err = v.generations(ctx, original, all); err != nil {
		return nil, nil, err
	}
	if err := v.out(ctx, original, all, 4*time.Second); err != nil {
		return nil, nil, err
	}
	twin.stop()
	if twin, err = v.start(ctx, copied, ""); err != nil {
		return nil, nil, err
	}
	v.ask(original, twin)
	return original, twin, v.passed(ctx, twin, before)
}

// cloneWithDatabase copies the folder of a hub on SQLite, with its database. The copy must
// ask for nothing; a copy of what the original left, when that has stopped for good,
// renews once it is adopted.
func (v *venue) cloneWithDatabase(ctx context.Context) error {
	original, err := v.start(ctx, 0, "")
	if err != nil {
		return err
	}
	all := v.all()
	if err := v.out(ctx, original, all, 2*time.Second); err != nil {
		return err
	}
	if err := v.snapshot(original, v.dataDir(0), v.dataDir(copied)); err != nil {
		return err
	}
	twin, err := v.open(ctx, copied, "")
	if err != nil {
		return err
	}
	v.ask(original, twin)
	if original, err = v.restarts(ctx, original, twin); err != nil {
		return err
	}
	if n := v.sentBy(copied); n > 0 {
		v.problem("the copy has sent %d token requests", n)
	}
	original.stop()
	twin.kill()
	return v.adopted(ctx)
}

// restarts starts the original four times, twice after a kill with replies in its journal,
// and asks the copy for renewals meanwhile.
func (v *venue) restarts(ctx context.Context, original, twin *hubProcess) (*hubProcess, error) {
	mine := v.all()[:unlearned]
	for range 2 {
		original.stop()
		armed, err := v.armed(ctx, 0, mine)
		if err != nil {
			return nil, err
		}
		v.renew(ctx, armed, mine)
		if err := armed.killed(ctx); err != nil {
			return nil, err
		}
		if original, err = v.start(ctx, 0, ""); err != nil {
			return nil, err
		}
		v.ask(original, twin)
		v.renewAll(ctx, twin)
		if err := v.renewed(ctx, original, v.all()); err != nil {
			return nil, err
		}
	}
	return original, nil
}

// adopted moves the folder, as a volume is moved, and has it adopted.
func (v *venue) adopted(ctx context.Context) error {
	const moved = 8
	if err := copyData(v.dataDir(0), v.dataDir(moved)); err != nil {
		return err
	}
	h, err := v.open(ctx, moved, "")
	if err != nil {
		return err
	}
	v.ask(h)
	before, err := v.generations(ctx, h, v.all())
	if err != nil {
		return err
	}
	v.renewAll(ctx, h)
	if err := wait(ctx, 3*time.Second); err != nil {
		return err
	}
	if n := v.sentBy(moved); n > 0 {
		v.problem("a folder that looks copied has sent %d token requests before it was adopted", n)
	}
	begin := time.Now()
	if err := v.command(ctx, moved, "data", "adopt", "--data-dir", filepath.Clean(v.dataDir(moved))); err != nil {
		return err
	}
	for h.says("data folder adopted") == 0 {
		if err := wait(ctx, pace); err != nil {
			return err
		}
	}
	v.remark = fmt.Sprintf("4 restarts; adopted within %s", time.Since(begin).Round(100*time.Millisecond))
	v.renewAll(ctx, h)
	return v.passed(ctx, h, before)
}
