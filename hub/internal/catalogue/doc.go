// Package catalogue lists the available providers and creates services and
// connections of them.
//
// Providers lists what the plugins serve. AddService validates an
// administrator's input against the provider's option schema, has the provider
// prepare it (PrepareService: discovery, per-service hosts and lifetimes), and
// stores the service with its effective description. AddConnection names an
// account's grant to it; authflow then gets the grant. Refresh prepares services
// again whose plugin has changed.
package catalogue
