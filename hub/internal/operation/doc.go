// Package operation runs the operations of providers: through a plugin process that may
// exit at any moment, with HTTP that is sent once and journaled.
//
// Runner finds the plugin (pluginhost), starts the operation on it and relays its
// requests. Each request is first answered from the replies that the operation already
// has; only if there is none is it sent (egress), made durable (journal), and then passed
// on. When the plugin exits, the operation is run again on a new process, and the same
// replies lead to the same result without a second request.
package operation
