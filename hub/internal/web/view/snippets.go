package view

import "strings"

// Snippet shows how a process pulls a token.
type Snippet struct{ ID, Title, Text string }

// Snippets are ways to pull a token from an address. The key comes from the
// environment or a setting, never from the text.
func Snippets(pullURL string) []Snippet {
	fill := strings.NewReplacer("{url}", pullURL)
	list := []Snippet{
		{"go", "Go", `req, _ := http.NewRequest("GET", "{url}", nil)
req.Header.Set("Authorization", "Bearer "+os.Getenv("EVERGRANT_API_KEY"))
resp, err := http.DefaultClient.Do(req)
if err != nil {
	return err
}
defer resp.Body.Close()
var token struct {
	AccessToken string ` + "`json:\"access_token\"`" + `
}
if resp.StatusCode != http.StatusOK {
	return fmt.Errorf("evergrant: %s", resp.Status)
}
err = json.NewDecoder(resp.Body).Decode(&token)`},
		{"python", "Python", `import json, os, urllib.request

request = urllib.request.Request("{url}",
    headers={"Authorization": "Bearer " + os.environ["EVERGRANT_API_KEY"]})
with urllib.request.urlopen(request) as reply:
    access_token = json.load(reply)["access_token"]`},
		{"javascript", "JavaScript", `const reply = await fetch("{url}", {
  headers: { Authorization: "Bearer " + process.env.EVERGRANT_API_KEY },
});
if (!reply.ok) throw new Error("evergrant: " + reply.status);
const { access_token } = await reply.json();`},
		{"bpium", "Bpium", `GET {url}
Authorization: Bearer <API key>`},
		{"corezoid", "Corezoid", `URL: {url}
Request method: GET
Header parameters: Authorization = Bearer {{env_var[@evergrant-api-key]}}
Response mapping: access_token = {{body.access_token}}`},
	}
	for i := range list {
		list[i].Text = fill.Replace(list[i].Text)
	}
	return list
}
