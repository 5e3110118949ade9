#!/usr/bin/env node
// The `memgen-retriever` command: a committed file, so that the package manager can link it before the first build.
import '../dist/cli/retriever-main.js';
