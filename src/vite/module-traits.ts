import { parseAst } from 'vite';

/** What can be told of a module from its code alone. */
export interface ModuleTraits {
  /**
   * Whether it only declares: evaluating it calls nothing of the project's, has no effect that could be
   * seen, and cannot fail by itself. When that happens is then nobody's concern.
   */
  isInert: boolean;
  /** Exports that are declared by `const`: as long as they are primitive, they never change again. */
  constants: string[];
}

/** The little of ESTree that is looked at here. */
interface Node {
  type: string;
  [key: string]: unknown;
}

const UNKNOWN: ModuleTraits = { isInert: false, constants: [] };

/** @param code What Vite's SSR transform has made of the module; anything else is taken to be not inert. */
export function readTraits(code: string): ModuleTraits {
  let body: Node[];
  try {
    body = parseAst(code).body as unknown as Node[];
  } catch {
    return UNKNOWN;
  }
  const constants = new Set(body.flatMap(constantNames));
  const exported = body.flatMap((statement) => {
    const { name, local } = readExport(statement) ?? {};
    return name !== undefined && local !== undefined && constants.has(local) ? [name] : [];
  });
  return { isInert: body.every(isInertStatement), constants: exported };
}

function constantNames({ type, kind, declarations }: Node): string[] {
  if (type !== 'VariableDeclaration' || kind !== 'const') {
    return [];
  }
  return (declarations as { id: Node }[]).flatMap(({ id }) =>
    id.type === 'Identifier' ? [id.name as string] : [],
  );
}

/** `__vite_ssr_exportName__("name", () => { try { return local } catch {} });` */
function readExport(statement: Node): { name: string; local: string | undefined } | undefined {
  const call = statement.expression as Node | undefined;
  if (statement.type !== 'ExpressionStatement' || !isCallOf(call, '__vite_ssr_exportName__')) {
    return undefined;
  }
  const [name, getter] = call.arguments as [Node, Node];
  const [attempt] = ((getter.body as Node).body ?? []) as Node[];
  const [result] = ((attempt?.block as Node | undefined)?.body ?? []) as Node[];
  const local = result?.argument as Node | undefined;
  return {
    name: String(name.value),
    local: local?.type === 'Identifier' ? (local.name as string) : undefined,
  };
}

function isInertStatement(statement: Node): boolean {
  switch (statement.type) {
    case 'EmptyStatement':
    case 'FunctionDeclaration':
      return true;
    case 'ClassDeclaration':
      return isInertClass(statement);
    case 'VariableDeclaration':
      return (statement.declarations as { id: Node; init: Node | null }[]).every(
        ({ id, init }) => id.type === 'Identifier' && (init === null || isInertValue(init)),
      );
    case 'ExpressionStatement':
      return isInertValue(statement.expression as Node) || readExport(statement) !== undefined;
    default:
      return false;
  }
}

function isInertValue(value: Node): boolean {
  switch (value.type) {
    case 'Literal':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return true;
    case 'TemplateLiteral':
      return (value.expressions as Node[]).length === 0;
    case 'UnaryExpression':
      return isInertValue(value.argument as Node);
    case 'ClassExpression':
      return isInertClass(value);
    case 'ArrayExpression':
      return (value.elements as (Node | null)[]).every(
        (element) => element !== null && isInertValue(element),
      );
    case 'ObjectExpression':
      return (value.properties as Node[]).every(
        ({ type, computed, value }) =>
          type === 'Property' && !computed && isInertValue(value as Node),
      );
    case 'AwaitExpression':
      return isCallOf(value.argument as Node, '__vite_ssr_import__');
    default:
      return false;
  }
}

function isInertClass({ superClass, decorators, body }: Node): boolean {
  return (
    !superClass &&
    ((decorators as Node[] | undefined) ?? []).length === 0 &&
    ((body as Node).body as Node[]).every(
      ({ type, static: isStatic, computed, decorators }) =>
        (type === 'MethodDefinition' || (type === 'PropertyDefinition' && !isStatic)) &&
        !computed &&
        ((decorators as Node[] | undefined) ?? []).length === 0,
    )
  );
}

function isCallOf(node: Node | undefined, name: string): node is Node {
  return node?.type === 'CallExpression' && (node.callee as Node).name === name;
}
