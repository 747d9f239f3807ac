/** The Vite environment of the backend's modules: `client` and `ssr` stay the front end's own. */
export const VITE_ENVIRONMENT = 'medusa';
