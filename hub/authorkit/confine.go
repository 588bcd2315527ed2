package authorkit

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest"
)

// starter starts plugins in the sandbox of the hub, with every layer required, because
// the plugin may not be the caller's own. Unconfined is nil, which runs them with the
// caller's rights.
func starter(ctx context.Context, unconfined bool) providertest.Starter {
	if unconfined {
		return nil
	}
	return func(binary string, logs io.Writer) (*providerplugin.Client, func(), error) {
		// A cold interpreter on a busy machine takes its time.
		opts := pluginhost.Options{Sandbox: sandbox.Required, Limits: pluginhost.DefaultLimits, StartTimeout: 30 * time.Second, ConnectTimeout: 20 * time.Second}
		client, stop, err := pluginhost.StartAlone(ctx, opts, binary, logs)
		if err != nil {
			return nil, nil, fmt.Errorf("in the sandbox: %w\n(--unconfined runs it with all that you may do: for plugins of your own only)", err)
		}
		return client, stop, nil
	}
}
