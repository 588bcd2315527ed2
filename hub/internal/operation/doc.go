// Package operation runs the operations of providers: through a plugin process
// that may die at any moment, with HTTP that is sent once and journaled.
//
// The walk: Runner finds the plugin (pluginhost), starts the operation on it and
// carries its requests. For each request the reply is first looked for among
// those that the operation already has; only if there is none is it sent
// (egress), made durable (journal), and then handed down. When the plugin dies,
// the operation is run again on a new process, and the same replies bring it to
// the same result without a second request.
package operation
