"""Classes that look right but are derived from nothing."""


class Greeter:
    def apply(self, job, context):
        return None

    def remove(self, job, context):
        return None


class Greeting:
    def resolve(self, arguments, resource, lookup):
        return "hello"
