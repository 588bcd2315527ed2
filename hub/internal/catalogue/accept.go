package catalogue

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Accept is why a new version of a plugin cannot replace the one in use: it must serve
// every provider that has services, and accept the options that they have. What the
// services would lose otherwise is a *pluginhost.LossError, which a person may accept.
func (c *Catalogue) Accept(plugin string, descriptions []provider.Description) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	services, err := c.store.Services.Services(ctx)
	if err != nil {
		return err
	}
	var serves []string
	for _, p := range c.host.Plugins() {
		if p.Name == plugin {
			serves = p.Providers
		}
	}
	var losses []string
	for _, svc := range services {
		if !slices.Contains(serves, svc.Provider) {
			continue
		}
		at := slices.IndexFunc(descriptions, func(d provider.Description) bool { return d.Name == svc.Provider })
		if at < 0 {
			return fmt.Errorf("it does not serve %s any more, which the service %s needs", svc.Provider, svc.Name)
		}
		if before, _, known := c.host.Description(svc.Provider); known {
			losses = append(losses, lossesOf(svc, before, descriptions[at])...)
		}
		if _, problems := descriptions[at].Options.Validate(svc.Options); len(problems) > 0 {
			return fmt.Errorf("it does not take the settings of the service %s: %s: %s", svc.Name, problems[0].Option, problems[0].Message.EN)
		}
	}
	if len(losses) > 0 {
		return &pluginhost.LossError{Losses: losses}
	}
	return nil
}
