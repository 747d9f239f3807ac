/** The part of Medusa's awilix container that is used here. */
export interface MedusaContainer {
  resolve<T>(key: string): T;
}

/** What `medusa/dist/loaders/index.js` gives when the app is loaded, as far as it is used here. (2.12.1 to 2.21.2) */
export interface LoadedApp {
  container: MedusaContainer;
  modules: Record<string, unknown>;
  gqlSchema?: unknown;
  /** Runs the shutdown hooks and closes the connections of the app. */
  shutdown(): Promise<void>;
}
