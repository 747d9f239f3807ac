import nodeModule from 'node:module';

// Compiled code of packages is kept from one process to the next, where Node can do that (from 22.1).
(nodeModule as { enableCompileCache?(): unknown }).enableCompileCache?.();
