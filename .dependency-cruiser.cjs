/** Which way imports may point: packages by rank, downwards only, through their front door. */
const RANKS = [
  ['base'],
  ['model'],
  ['protocol', 'sync-config', 'auth'],
  ['storage', 'source', 'client'],
  [
    'storage-sqlite',
    'storage-postgres',
    'source-postgres',
    'source-mysql',
    'source-mongodb',
    'source-mssql',
    'replication',
    'sync',
    'local-postgres',
    'client-node',
    'client-web',
    'client-react',
  ],
  // Its PostgreSQL adapter reads values as the source does.
  ['write-api'],
];

const upward = RANKS.flatMap((names, rank) =>
  names.map((name) => {
    const forbidden = RANKS.slice(rank)
      .flat()
      .filter((other) => other !== name);
    return {
      name: `${name}-imports-downwards`,
      severity: 'error',
      // What is not built (tests, benches and their equipment) may look upwards.
      from: { path: `^packages/${name}/src`, pathNot: '\\.(test|bench)\\.tsx?$|/src/testing/' },
      to: { path: `^(packages/(${forbidden.join('|')})/|apps/)` },
    };
  }),
);

module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'front-doors-only',
      comment:
        'Other packages are entered through src/index.ts, src/conformance/index.ts or src/client/index.ts',
      severity: 'error',
      from: { path: '^(packages|apps)/([^/]+)/src' },
      to: {
        path: '^(packages|apps)/[^/]+/src/.+',
        pathNot: ['^$1/$2/', '^(packages|apps)/[^/]+/src/((conformance|client)/)?index\\.ts$'],
      },
    },
    {
      name: 'testing-stays-in-tests',
      comment: 'Inside a package, test equipment has folders of these names, which are not built',
      severity: 'error',
      from: {
        path: '^(packages|apps)/',
        pathNot: ['^packages/testing/', '\\.test\\.tsx?$', '/(conformance|testing|crash-test)/'],
      },
      to: { path: '^packages/testing/' },
    },
    {
      name: 'only-apps-name-stores-and-sources',
      severity: 'error',
      from: {
        path: '^packages/([^/]+)/',
        pathNot: ['\\.test\\.tsx?$', '^packages/testing/', '^packages/write-api/src/postgres/'],
      },
      to: {
        path: '^packages/(storage-[a-z]+|source-[a-z]+)/',
        pathNot: ['^packages/$1/'],
      },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@sluice/source', 'import', 'node', 'default'],
    },
    exclude: { path: ['/dist/', 'node_modules/(?!@sluice)'] },
  },
};
