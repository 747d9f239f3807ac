import { createRequire } from 'node:module';
import type { MedusaPackages } from '../packages.ts';

interface Key {
  name: string | number;
}
interface Options {
  strict?: boolean;
  end?: boolean;
  sensitive?: boolean;
}
type Compile = (path: unknown, keys?: Key[], options?: Options) => RegExp;
type Parse = (path: unknown, options?: object) => { regexp: RegExp; keys: Key[] };

/**
 * Compiles each path of a route only once. Whenever the API is rebuilt, Express and Medusa make a regular
 * expression of each of 1,200 paths, nearly all the same as before, and V8 compiles those that are tried anew.
 * (`path-to-regexp` 0.1 of Express 4, and 8 in `framework/dist/http/routes-finder.js`, 2.12.1 to 2.21.2)
 *
 * To be called before Express is loaded, which keeps the function that it finds.
 */
export function rememberPathPatterns(packages: MedusaPackages): void {
  const express = packages.tryResolveFrom('@medusajs/framework', 'express');
  if (express === undefined) {
    throw packages.unexpected('express');
  }
  const require = createRequire(express);
  const file = require.resolve('path-to-regexp');
  const compile = require(file) as unknown;
  const loaded = require.cache[file];
  if (typeof compile !== 'function' || !loaded) {
    throw packages.unexpected('express > path-to-regexp');
  }
  loaded.exports = remembering(compile as Compile);

  const exports = packages.requireFrom('@medusajs/framework', 'path-to-regexp') as Record<
    string,
    unknown
  >;
  packages.assertReplaceable(exports, 'pathToRegexp', 'path-to-regexp');
  exports.pathToRegexp = rememberingParsed(exports.pathToRegexp as Parse);
}

/** None of the patterns has a state: Express gives those of one path and options the same flags. */
export function remembering(compile: Compile): Compile {
  const patterns = new Map<string, { regexp: RegExp; keys: Key[] }>();
  return (path, keys, options) => {
    if (typeof path !== 'string' || !keys || keys.length > 0) {
      return compile(path, keys, options);
    }
    const { strict, end, sensitive, ...others } = options ?? {};
    if (Object.keys(others).length > 0) {
      return compile(path, keys, options);
    }
    const key = JSON.stringify([path, strict, end, sensitive]);
    let pattern = patterns.get(key);
    if (!pattern) {
      const own: Key[] = [];
      pattern = { regexp: compile(path, own, options), keys: own };
      patterns.set(key, pattern);
    }
    keys.push(...pattern.keys.map((one) => ({ ...one })));
    return pattern.regexp;
  };
}

export function rememberingParsed(parse: Parse): Parse {
  const patterns = new Map<string, { regexp: RegExp; keys: Key[] }>();
  return (path, options) => {
    if (typeof path !== 'string' || options) {
      return parse(path, options);
    }
    const pattern = patterns.get(path) ?? parse(path);
    patterns.set(path, pattern);
    return { regexp: pattern.regexp, keys: pattern.keys.map((one) => ({ ...one })) };
  };
}
