import { MedusaViteError } from '../../shared/failure.ts';
import { describePortOwner, findPortOwner } from './port-owner.ts';

export async function explainListenError(
  error: NodeJS.ErrnoException,
  { port, host }: { port: number; host: string | undefined },
): Promise<MedusaViteError> {
  switch (error.code) {
    case 'EADDRINUSE': {
      const owner = await findPortOwner(port);
      const by = owner === undefined ? '' : ` by ${describePortOwner(owner)}`;
      return new MedusaViteError(`Port \`${port}\` is in use${by}.`, {
        code: 'PORT_IN_USE',
        hint: 'Stop that program, or choose another port: `-p`, `PORT` or the option `port`.',
        cause: error,
      });
    }
    case 'EACCES':
      return new MedusaViteError(`No permission to listen on port \`${port}\`.`, {
        code: 'PORT_NOT_PERMITTED',
        hint: 'Choose another port: `-p`, `PORT` or the option `port`. Those above 1023 need no permission.',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new MedusaViteError(`This machine has no address \`${host}\`.`, {
        code: 'HOST_NOT_AVAILABLE',
        hint: 'Choose another one: `-H`, `HOST` or the option `host`. Without one, all addresses are listened on.',
        cause: error,
      });
    default:
      return new MedusaViteError(`Cannot listen on port \`${port}\`: ${error.message}`, {
        code: 'LISTEN_FAILED',
        cause: error,
      });
  }
}
