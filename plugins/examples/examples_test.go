package examples_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest"
)

// Plugins in other languages keep the same contract, over the same AutoMTLS.
func TestContractInOtherLanguages(t *testing.T) {
	for language, ready := range map[string]*exec.Cmd{
		"node":   exec.Command("node", "--input-type=module", "-e", "import '@grpc/grpc-js'"),
		"python": exec.Command("/usr/bin/python3", "-c", "import grpc, google.protobuf, cryptography"),
	} {
		t.Run(language, func(t *testing.T) {
			ready.Dir = language
			if out, err := ready.CombinedOutput(); err != nil {
				if os.Getenv("CI") != "" {
					t.Fatalf("%s or its packages are missing: %v\n%s", language, err, out)
				}
				t.Skipf("%s or its packages are missing; make test installs them: %v", language, err)
			}
			providertest.Run(t, providertest.Config{
				Binary: language + "/evergrant-provider-acme-" + language, Service: provider.Service{Scopes: []string{"parcels"}},
			})
		})
	}
}
