// A project that names the notification module replaces Medusa's default entry for it, so the
// provider of the dashboard's own feed is listed here as well.
export const notificationProviders = [
  {
    resolve: '@medusajs/medusa/notification-local',
    id: 'local',
    options: { channels: ['feed'] },
  },
  {
    resolve: './src/modules/journal-provider',
    id: 'journal',
    options: { channels: ['journal'], signature: 'the shop' },
  },
];
