// Command packer makes a package of a manifest on standard input and the program in
// its argument, signed by the key in its second one, if there is one. Tests run it
// because compression under the race detector takes ten times as long.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"
	"testing/fstest"

	"github.com/evergrant/evergrant/hub/internal/pluginpack"
)

func main() {
	var m pluginpack.Manifest
	if err := json.NewDecoder(os.Stdin).Decode(&m); err != nil {
		log.Fatal(err)
	}
	program, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	program = append(program, m.Version...) // every version is another file
	var out bytes.Buffer
	if _, err := pluginpack.Write(&out, m, fstest.MapFS{m.Entry: {Data: program, Mode: 0o755}}); err != nil {
		log.Fatal(err)
	}
	if len(os.Args) > 2 {
		private, err := pluginpack.ReadPrivateKey([]byte(os.Args[2]), nil)
		if err != nil {
			log.Fatal(err)
		}
		var signed bytes.Buffer
		if _, err := pluginpack.Sign(&signed, &out, private, os.TempDir()); err != nil {
			log.Fatal(err)
		}
		out = signed
	}
	if _, err := os.Stdout.Write(out.Bytes()); err != nil {
		log.Fatal(err)
	}
}
