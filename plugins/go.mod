module github.com/evergrant/evergrant/plugins

go 1.26.0

require github.com/evergrant/evergrant/sdk v0.0.0

replace github.com/evergrant/evergrant/sdk => ../sdk
