package tokensource

import (
	"errors"
	"fmt"

	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// otherPlugin reports whether the plugin that serves a provider now is another one than
// made the requests of an intent. One version of a plugin runs at a time, so a reply is
// read by the one that is there.
func (s *Source) otherPlugin(intent renewaldb.Intent, providerName string) (version string, other bool) {
	version, sum := s.runner.Plugin(providerName)
	return version, intent.PluginSum != "" && sum != "" && sum != intent.PluginSum
}

// withVersions says in the error of a plugin that it was another version which had asked:
// the new one may not make the same requests.
func (s *Source) withVersions(err error, intent renewaldb.Intent, providerName string) error {
	failure, ok := errors.AsType[*provider.Error](err)
	version, other := s.otherPlugin(intent, providerName)
	if !ok || !other {
		return err
	}
	told := *failure
	told.Message = fmt.Sprintf("%s; version %s of the plugin had asked for the reply, version %s reads it", failure.Message, orUnknown(intent.PluginVersion), orUnknown(version))
	return &told
}

func orUnknown(version string) string {
	if version == "" {
		return "?"
	}
	return version
}
