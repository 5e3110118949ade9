#!/usr/bin/env node
// The `memgen` command: a committed file, so that the package manager can link it before the first build.
import '../dist/cli/main.js';
