"""The OpenAPI and AsyncAPI documents, made of what the code declares: what programs may rely on."""
