package pluginhost

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// StartAlone starts one plugin outside of any hub, confined as a hub's plugins are by
// Options.Sandbox; Dir, Installed, Accept and Cache are not used. All that it writes
// goes to raw as it is, and also, within limits, to Options.Logger. stop ends it and
// removes its folder. It returns an error if the plugin does not start, or if a wall
// that is required is missing.
func StartAlone(ctx context.Context, opts Options, path string, raw io.Writer) (client *providerplugin.Client, stop func(), err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, nil, fmt.Errorf("find the plugin: %w", err)
	}
	opts.Dir, opts.Installed, opts.Accept, opts.Cache = filepath.Dir(path), nil, nil, nil
	h, err := New(opts)
	if err != nil {
		return nil, nil, err
	}
	out := newOutput(h.log)
	out.raw = raw
	in, err := h.launch(ctx, Source{Name: filepath.Base(path), Path: path}, out)
	if err != nil {
		h.Stop(context.Background())
		return nil, nil, fmt.Errorf("start the plugin %s: %w", path, err)
	}
	return in.operations, func() {
		if !in.stop(0) {
			h.log.Error("kill plugin process failed, process abandoned", "pid", in.runner.process.pid)
		}
		out.flush()
		h.Stop(context.Background())
	}, nil
}

// copyRaw hands on what a plugin wrote, before anything is cut or redacted. The caller
// holds mu.
func (o *output) copyRaw(p []byte) {
	if o.raw != nil {
		_, _ = o.raw.Write(p) // it is memory of a test
	}
}
