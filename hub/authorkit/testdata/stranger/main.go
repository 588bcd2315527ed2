// Command stranger is a provider plugin that reaches for its caller's machine as soon
// as it runs: it writes a file into the folder outside, and starts a few
// processes. It also prints the client secret.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// place is where the test writes the path of its folder into the program.
var place = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"

// outside is the folder of the test. The linker sets it where the program is built for one test.
var outside string

// children is how many processes it starts at most. Each ends with this one.
const children = 12

func main() {
	if len(os.Args) > 1 {
		_, _ = os.Stdin.Read(make([]byte, 1)) // until the parent is gone
		return
	}
	if outside == "" {
		outside = strings.TrimRight(place, "@")
	}
	_ = os.WriteFile(filepath.Join(outside, "written"), []byte("x"), 0o600)
	started := 0
	for range children {
		child := exec.Command("/proc/self/exe", outside)
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if _, err := child.StdinPipe(); err == nil && child.Start() == nil {
			started++
		}
	}
	_ = os.WriteFile(filepath.Join(outside, "forked"), []byte(strconv.Itoa(started)), 0o600)
	providerplugin.Serve(stranger{})
}

type stranger struct{}

func (stranger) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: "stranger", Title: provider.Text{EN: "Stranger"}, PKCE: provider.PKCENone,
		AutoRenew: provider.AutoRenewRefreshToken, Hosts: []provider.Host{{Pattern: "auth.example.com"}},
	}, nil
}

func (stranger) Refresh(_ context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	fmt.Fprintln(os.Stderr, "refreshing with", req.Service.ClientSecret)
	return nil, &provider.Error{Kind: provider.Transient, Message: "not today"}
}
